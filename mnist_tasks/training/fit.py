"""One training run, from its settings to the saved model and its record."""

from __future__ import annotations

import math
import shlex
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

import numpy as np

from mnist_tasks import disk, records
from mnist_tasks.data import files
from mnist_tasks.errors import WrongUsageError
from mnist_tasks.records import Epoch, ModelFile, Point, RunRecord
from mnist_tasks.training import batches, describe, devices, recipes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import keras

    from mnist_tasks.config import TrainingConfig
    from mnist_tasks.data.store import Digits
    from mnist_tasks.training.devices import Place
    from mnist_tasks.training.engine import Trainer
    from mnist_tasks.training.recipes import Recipe

OTHER_OUTPUT = "Name another file with --output."
POINTS_AN_EPOCH = 50
LONGEST_CURVE = 500  # points


class Progress(Protocol):
    """What is told of a training while it goes on."""

    def begin(self, epochs: int, images: int) -> None:
        """Say that training starts: how many passes over how many images."""

    def advance(self, epoch: int, images: int, loss: float, accuracy: float) -> None:
        """Say how far an epoch is, with its running means; accuracy in [0, 1]."""


def train(
    config: TrainingConfig,
    load_digits: Callable[[], Digits],
    *,
    progress: Progress,
    note: Callable[[str], object] = lambda _: None,
) -> RunRecord:
    """Train a recipe and save its model and its record.

    Parameters
    ----------
    load_digits
        Returns the training images and labels; called while nothing else is loaded.
    note
        Is told what the user should know, a line at a time.

    Raises
    ------
    WrongUsageError
        There is no such recipe, the learning rate makes the loss infinite, or there are not enough
        images for the devices.
    EnvironmentLacksError
        TensorFlow or the device is missing, or a file can't be written.
    """
    recipe = recipes.resolve(config)
    disk.try_writing(config.output.parent, remedy=OTHER_OUTPUT)
    clock = _Clock()
    with clock.phase("data"):
        digits = load_digits().first(config.limit)
    with clock.phase("import"):
        devices.import_tensorflow()
        place = devices.prepare(config, towers=recipe.towers)
        if place.note:
            note(place.note)
        smallest = _smallest_batch(recipe, place, images=len(digits.labels))
        from mnist_tasks.training import network
    with clock.phase("build"):
        sizes = batches.sizes(len(digits.labels), recipe.batch_size, smallest=smallest)
        steps = recipe.epochs * len(sizes)
        model = network.build(recipe, steps=steps)
        with place.scope():
            trainee = network.build_trainee(recipe)
            optimizer = network.build_optimizer(recipe, steps=steps)
    with clock.phase("fit"):
        trainer = _trainer(trainee, optimizer, place, towers=min(place.towers, len(digits.labels)))
        epochs, curve = _fit(trainer, recipe, digits, config.seed, smallest, progress)
        model.set_weights(trainee.get_weights())
    with clock.phase("save"):
        saved = _save(model, config)
    images, labels = files.SPLITS["train"]
    return RunRecord(
        id=records.new_id(),
        created=records.now(),
        command=_command(config),
        recipe=recipes.as_record(recipe),
        seed=config.seed,
        limit=config.limit,
        machine=place.machine,
        data={images.name: images.sha256, labels.name: labels.sha256},
        epochs=epochs,
        curve=curve,
        network=describe.layers(model, recipe),
        filters=describe.first_filters(model),
        seconds=clock.seconds,
        model=saved,
    )


def _smallest_batch(recipe: Recipe, place: Place, *, images: int) -> int:
    """Return how many images a batch needs, so that each part of it has statistics of its own."""
    replicas = place.machine.replicas
    smallest = max(batches.SMALLEST_BATCH, 2 * replicas * place.towers)
    for option, found in (("--batch-size", recipe.batch_size), ("--limit", images)):
        if replicas > 1 and found < smallest:
            raise WrongUsageError(
                option,
                expected=f"at least {smallest} images, to be shared out to {replicas} replicas",
                found=str(found),
                remedy="Choose more, or fewer devices with --device.",
            )
    return smallest


def _trainer(
    model: keras.Model, optimizer: keras.optimizers.Optimizer, place: Place, *, towers: int
) -> Trainer:
    if place.strategy is None:
        from mnist_tasks.training.engine import Trainer

        return Trainer(model, optimizer, towers=towers)
    from mnist_tasks.training.replicas import ReplicaTrainer

    return ReplicaTrainer(model, optimizer, towers=towers, strategy=place.strategy)


def _fit(
    trainer: Trainer,
    recipe: Recipe,
    digits: Digits,
    seed: int,
    smallest: int,
    progress: Progress,
) -> tuple[tuple[Epoch, ...], tuple[Point, ...]]:
    """Train the trainer's model in place."""
    images = len(digits.labels)
    steps = len(batches.sizes(images, recipe.batch_size, smallest=smallest))
    random = np.random.default_rng(seed)
    epochs: list[Epoch] = []
    curve: list[Point] = []
    progress.begin(recipe.epochs, images)
    step = 0
    for epoch in range(1, recipe.epochs + 1):
        begun = time.perf_counter()
        seen, loss, correct = 0, 0.0, 0
        for pixels, labels in batches.epoch(
            digits,
            batch_size=recipe.batch_size,
            shift=recipe.shift,
            steps=math.ceil(steps / POINTS_AN_EPOCH),
            random=random,
            smallest=smallest,
        ):
            more_loss, more_correct = trainer.run(pixels, labels)
            step += len(labels)
            if not math.isfinite(more_loss):
                raise WrongUsageError(
                    "--learning-rate",
                    expected="one with which the loss falls",
                    found=f"{recipe.learning_rate:g}: the loss is {more_loss} by step {step}",
                    remedy="Choose a lower one. Nothing was saved.",
                )
            seen, loss, correct = seen + labels.size, loss + more_loss, correct + more_correct
            point = Point(step=step, loss=loss / seen, accuracy=correct / seen)
            curve.append(point)
            progress.advance(epoch, seen, point.loss, point.accuracy)
        seconds = time.perf_counter() - begun
        epochs.append(
            Epoch(
                epoch=epoch,
                loss=loss / seen,
                accuracy=correct / seen,
                seconds=seconds,
                images_per_second=seen / seconds,
            )
        )
    trainer.finish()
    # The latest point stays, whatever is left out of a long training's curve.
    thinned = curve[::-1][:: math.ceil(len(curve) / LONGEST_CURVE)][::-1]
    return tuple(epochs), tuple(thinned)


def _save(model: keras.Model, config: TrainingConfig) -> ModelFile:
    output = config.output
    with (
        disk.writable(output.parent, remedy=OTHER_OUTPUT),
        disk.replacing(output) as temporary,
    ):
        model.save(temporary)
        size = temporary.stat().st_size
        digest = files.sha256(temporary)
    return ModelFile(path=str(output), bytes=size, sha256=digest, parameters=model.count_params())


def _command(config: TrainingConfig) -> str:
    """Return the command line that repeats a run on this machine."""
    words = ["mnist-tasks", "train", "--recipe", config.recipe, "--seed", str(config.seed)]
    options = {
        "--epochs": config.epochs,
        "--batch-size": config.batch_size,
        "--learning-rate": config.learning_rate,
        "--limit": config.limit,
        "--device": config.device,
        "--threads": config.threads,
        "--output": config.output,
    }
    for option, value in options.items():
        if value is not None:
            words += [option, str(value)]
    return shlex.join(words)


class _Clock:
    """Seconds of each phase of a run."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        begun = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - begun, 3)
