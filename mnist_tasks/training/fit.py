"""One training run, from its settings to the saved model and its record."""

from __future__ import annotations

import math
import shlex
import time
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Protocol

from mnist_tasks import disk, records
from mnist_tasks.data import files
from mnist_tasks.records import Epoch, ModelFile, Point, RunRecord
from mnist_tasks.training import batches, devices, network, recipes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import keras

    from mnist_tasks.config import TrainingConfig
    from mnist_tasks.data.store import Digits
    from mnist_tasks.training.recipes import Recipe

POINTS_AN_EPOCH = 50


class Progress(Protocol):
    """What is told of a training while it goes on."""

    def begin(self, epochs: int, images: int) -> None:
        """Say that training starts: how many passes over how many images."""

    def advance(self, epoch: int, images: int, loss: float, accuracy: float) -> None:
        """Say how far an epoch is, with its running means; accuracy in [0, 1]."""


def train(
    config: TrainingConfig, load_digits: Callable[[], Digits], *, progress: Progress
) -> RunRecord:
    """Train a recipe and save its model and its record.

    Parameters
    ----------
    load_digits
        Returns the training images and labels; called while nothing else is loaded.

    Raises
    ------
    WrongUsageError
        There is no such recipe.
    EnvironmentLacksError
        TensorFlow or the device is missing, or a file can't be written.
    """
    recipe = recipes.resolve(config)
    clock = _Clock()
    with clock.phase("data"):
        digits = load_digits().first(config.limit)
    with clock.phase("import"):
        devices.import_tensorflow()
        machine = devices.prepare(config)
    with clock.phase("build"):
        steps = recipe.epochs * math.ceil(len(digits.labels) / recipe.batch_size)
        model = network.build(recipe, steps=steps)
    with clock.phase("fit"):
        epochs, curve = _fit(model, recipe, digits, config.seed, progress)
    with clock.phase("save"):
        saved = _save(model, config)
    images, labels = files.SPLITS["train"]
    return RunRecord(
        id=records.new_id(),
        created=records.now(),
        command=_command(config),
        recipe=asdict(recipe),
        seed=config.seed,
        limit=config.limit,
        machine=machine,
        data={images.name: images.sha256, labels.name: labels.sha256},
        epochs=epochs,
        curve=curve,
        seconds=clock.seconds,
        model=saved,
    )


def _fit(
    model: keras.Model, recipe: Recipe, digits: Digits, seed: int, progress: Progress
) -> tuple[tuple[Epoch, ...], tuple[Point, ...]]:
    """Train the model in place."""
    import keras

    images = len(digits.labels)
    steps = math.ceil(images / recipe.batch_size)
    epochs: list[Epoch] = []
    curve: list[Point] = []

    class Watch(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.began = time.perf_counter()

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            done = min((batch + 1) * recipe.batch_size, images)
            progress.advance(len(epochs) + 1, done, logs["loss"], logs["accuracy"])
            curve.append(
                Point(
                    step=len(epochs) * steps + batch + 1,
                    loss=logs["loss"],
                    accuracy=logs["accuracy"],
                )
            )

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            seconds = time.perf_counter() - self.began
            epochs.append(
                Epoch(
                    epoch=epoch + 1,
                    loss=logs["loss"],
                    accuracy=logs["accuracy"],
                    seconds=seconds,
                    images_per_second=images / seconds,
                )
            )

    progress.begin(recipe.epochs, images)
    model.fit(
        batches.shuffled(digits, batch_size=recipe.batch_size, seed=seed),
        epochs=recipe.epochs,
        verbose=0,
        callbacks=[Watch()],
    )
    return tuple(epochs), tuple(curve)


def _save(model: keras.Model, config: TrainingConfig) -> ModelFile:
    output = config.output
    with (
        disk.writable(output.parent, remedy="Name another file with --output."),
        disk.replacing(output) as temporary,
    ):
        model.save(temporary)
        size = temporary.stat().st_size
        digest = files.sha256(temporary)
    return ModelFile(path=str(output), bytes=size, sha256=digest, parameters=model.count_params())


def _command(config: TrainingConfig) -> str:
    """Return the command line that repeats a run: what differs from the defaults, and the seed."""
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
