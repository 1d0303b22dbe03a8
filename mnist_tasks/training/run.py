"""One training run, from its settings to the saved model and its record."""

from __future__ import annotations

import dataclasses
import shlex
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mnist_tasks import disk, records
from mnist_tasks.records import RunRecord
from mnist_tasks.training import (
    batches,
    costs,
    devices,
    loop,
    recipes,
    saving,
    settings,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mnist_tasks.config import TrainingConfig
    from mnist_tasks.data.store import LabeledImages
    from mnist_tasks.training.loop import Progress


def train(
    config: TrainingConfig,
    load_digits: Callable[[], LabeledImages],
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
    UsageError
        There is no such recipe, the learning rate makes the loss infinite, or there are not enough
        images for the devices.
    EnvironmentProblemError
        TensorFlow or the device is missing, or a file can't be written.
    """
    recipe = recipes.resolve(config)
    disk.try_writing(config.output.parent, remedy=saving.OTHER_OUTPUT)
    clock = _Clock()
    with clock.phase("data"):
        digits = load_digits().first(config.limit)
    with clock.phase("import"):
        devices.import_tensorflow()
        place = devices.prepare(config, micro_batches=recipe.micro_batches)
        if place.note:
            note(place.note)
        smallest = batches.smallest(
            recipe.batch_size,
            images=len(digits.labels),
            replicas=place.machine.replicas,
            micro_batches=place.micro_batches,
        )
        from mnist_tasks.training import normalization
        from mnist_tasks.training.model import build_model, build_optimizer, build_trainee
    with clock.phase("build"):
        sizes = batches.sizes(len(digits.labels), recipe.batch_size, smallest=smallest)
        steps = recipe.epochs * len(sizes)
        model = build_model(recipe, steps=steps)
        with place.scope():
            trainee = build_trainee(recipe, precision=config.precision)
            optimizer = build_optimizer(recipe, steps=steps)
    with clock.phase("fit"):
        trainer = place.trainer(trainee, optimizer, smallest=min(sizes))
        epochs, curve = loop.run(
            trainer, recipe, digits, seed=config.seed, smallest=smallest, progress=progress
        )
        model.set_weights(trainee.get_weights())
        if recipe.ema_momentum:
            normalization.recompute(model, digits.images[: normalization.ENOUGH_IMAGES])
    with clock.phase("save"):
        saved = saving.save(model, config.output)
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
        network=costs.layers(model, recipe),
        filters=costs.first_filters(model),
        seconds=clock.seconds,
        model=saved,
    )


def command(config: TrainingConfig) -> str:
    """Return the command line that repeats a run on this machine."""
    words = ["mnist-tasks", "train"]
    for each in dataclasses.fields(config):
        value = getattr(config, each.name)
        if each.name == "settings":
            for setting in settings.words(value):
                words += [settings.OPTION, setting]
        elif value is not None:
            words += [f"--{each.name.replace('_', '-')}", str(value)]
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
