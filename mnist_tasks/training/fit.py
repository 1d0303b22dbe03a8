"""One training run, from its settings to the saved model and its record."""

from __future__ import annotations

import os
import shlex
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mnist_tasks import disk, records
from mnist_tasks.records import RunRecord
from mnist_tasks.training import (
    batches,
    cluster,
    describe,
    devices,
    losing,
    passes,
    recipes,
    saving,
    settings,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mnist_tasks.config import TrainingConfig
    from mnist_tasks.data.store import Digits
    from mnist_tasks.training.passes import Progress
    from mnist_tasks.training.recipes import Recipe


def train(
    config: TrainingConfig,
    load_digits: Callable[[], Digits],
    *,
    progress: Progress,
    note: Callable[[str], object] = lambda _: None,
) -> RunRecord:
    """Train a recipe and save its model and its record.

    Where ``TF_CONFIG`` names several workers, this process is one of them: they train one model
    together, and the chief saves it.

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
        images for the devices; or ``TF_CONFIG`` can't be.
    EnvironmentLacksError
        TensorFlow or the device is missing, a worker is missing or was lost, or a file can't be
        written.
    """
    recipe = recipes.resolve(config)
    workers = cluster.read(os.environ)
    is_chief = workers is None or workers.me == 0
    if is_chief:
        disk.try_writing(config.output.parent, remedy=saving.OTHER_OUTPUT)
    clock = _Clock()
    with clock.phase("data"):
        digits = load_digits().first(config.limit)
    with clock.phase("import"):
        devices.import_tensorflow()
        if workers:
            note(f"worker {workers.me} of {len(workers.addresses)} waits for the others")
        place = devices.prepare(
            config,
            towers=recipe.towers,
            cluster=workers,
            purpose=_purpose(config, recipe, digits.sha256),
        )
        if place.note:
            note(place.note)
        smallest = batches.smallest(
            recipe.batch_size,
            images=len(digits.labels),
            replicas=place.machine.replicas,
            towers=place.towers,
        )
        from mnist_tasks.training import network, normalization
    with clock.phase("build"):
        sizes = batches.sizes(len(digits.labels), recipe.batch_size, smallest=smallest)
        steps = recipe.epochs * len(sizes)
        model = network.build(recipe, steps=steps)
        with losing.noticed(workers), place.scope():
            trainee = network.build_trainee(recipe, precision=config.precision)
            optimizer = network.build_optimizer(recipe, steps=steps)
    with clock.phase("fit"), losing.noticed(workers):
        trainer = place.trainer(trainee, optimizer, smallest=min(sizes))
        epochs, curve = passes.run(
            trainer, recipe, digits, seed=config.seed, smallest=smallest, progress=progress
        )
        model.set_weights(trainee.get_weights())
        if recipe.average:
            normalization.recompute(model, digits.images[: normalization.ENOUGH_IMAGES])
    with clock.phase("save"):
        save = saving.save if is_chief else saving.save_nowhere
        saved = save(model, config.output)
    return RunRecord(
        id=records.new_id(),
        created=records.now(),
        command=command(config),
        recipe=recipes.as_record(recipe),
        seed=config.seed,
        limit=config.limit,
        machine=place.machine,
        data=dict(digits.sha256),
        epochs=epochs,
        curve=curve,
        network=describe.layers(model, recipe),
        filters=describe.first_filters(model),
        seconds=clock.seconds,
        model=saved,
    )


def command(config: TrainingConfig) -> str:
    """Return the command line that repeats a run on this machine."""
    words = ["mnist-tasks", "train", "--recipe", config.recipe, "--seed", str(config.seed)]
    options = {
        "--epochs": config.epochs,
        "--batch-size": config.batch_size,
        "--learning-rate": config.learning_rate,
        "--limit": config.limit,
        "--device": config.device,
        "--threads": config.threads,
        "--precision": config.precision if config.precision != "float32" else None,
        "--output": config.output,
    }
    for option, value in options.items():
        if value is not None:
            words += [option, str(value)]
    for each in settings.words(config.settings):
        words += [settings.OPTION, each]
    return shlex.join(words)


def _purpose(config: TrainingConfig, recipe: Recipe, data: Mapping[str, str]) -> str:
    """Return what has to be the same for all workers of a run."""
    versions = devices.versions()
    return repr((recipe, config.seed, config.limit, config.precision, dict(data), versions))


class _Clock:
    """Seconds of each phase of a run."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        begun = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - begun, 3)
