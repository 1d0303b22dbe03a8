"""One training run, from its configuration to the saved model and its record."""

from __future__ import annotations

import dataclasses
import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mnist_tasks import disk, records
from mnist_tasks.config import TrainingConfig
from mnist_tasks.data.store import LabeledImages
from mnist_tasks.errors import UsageError
from mnist_tasks.records import RunRecord
from mnist_tasks.training import (
    batches,
    costs,
    loop,
    recipes,
    saving,
    settings,
    tensorflow_setup,
)
from mnist_tasks.training.loop import EpochProgress


def train(
    config: TrainingConfig,
    load_digits: Callable[[], LabeledImages],
    *,
    progress: EpochProgress = loop.SILENT,
) -> RunRecord:
    """Train a recipe, save its model and return the record of the run.

    Parameters
    ----------
    load_digits
        Returns the training images and labels; called before TensorFlow is loaded.

    Raises
    ------
    UsageError
        A setting is not valid, the learning rate makes the loss infinite, or there are too few
        images for the devices.
    EnvironmentProblemError
        TensorFlow or the device is missing, or a file can't be written.
    """
    recipe = recipes.resolve(config)
    disk.require_writable(config.output.parent, remedy=saving.OTHER_OUTPUT)
    seconds: dict[str, float] = {}
    with _timed("data", seconds):
        digits = _first(load_digits(), config.limit)
    with _timed("import", seconds):
        tensorflow_setup.import_tensorflow()
        placement = tensorflow_setup.prepare(config, micro_batches=recipe.micro_batches)
        if placement.note:
            progress.note(placement.note)
        smallest = batches.smallest(
            recipe.batch_size,
            images=len(digits.labels),
            replicas=placement.machine.replicas,
            micro_batches=placement.micro_batches,
        )
        from mnist_tasks.training import normalization
        from mnist_tasks.training.model import build_model, build_optimizer, build_training_model
        from mnist_tasks.training.replica_trainer import ReplicaTrainer
        from mnist_tasks.training.trainer import Trainer
    with _timed("build", seconds):
        sizes = batches.sizes(len(digits.labels), recipe.batch_size, smallest=smallest)
        steps = recipe.epochs * len(sizes)
        model = build_model(recipe, digits.info)
        with placement.strategy.scope():
            training_model = build_training_model(recipe, digits.info, precision=config.precision)
            optimizer = build_optimizer(recipe, steps=steps)
            trainer_class = ReplicaTrainer if placement.machine.replicas > 1 else Trainer
            trainer = trainer_class(
                training_model, optimizer, micro_batches=min(placement.micro_batches, *sizes)
            )
    with _timed("fit", seconds):
        with placement.strategy.scope():
            epochs, curve = loop.run(
                trainer, recipe, digits, seed=config.seed, smallest=smallest, progress=progress
            )
        model.set_weights(training_model.get_weights())
        if recipe.ema_momentum:
            normalization.recompute(model, digits.images[: normalization.ENOUGH_IMAGES])
    with _timed("save", seconds):
        saved = saving.save(model, config.output)
    return RunRecord(
        id=records.new_id(),
        created=records.now(),
        command=command(config),
        recipe=recipes.as_record(recipe),
        seed=config.seed,
        limit=config.limit,
        machine=placement.machine,
        data=dict(digits.sha256),
        epochs=epochs,
        curve=curve,
        network=costs.layers(model),
        filters=costs.first_filters(model),
        seconds=seconds,
        model=saved,
        dataset=digits.info,
    )


def _first(digits: LabeledImages, limit: int | None) -> LabeledImages:
    available = len(digits.labels)
    if limit is not None and limit > available:
        raise UsageError(
            "--limit",
            expected=f"a whole number from 1 to {available:,}, the images of {digits.info.title}",
            found=f"{limit:,}",
        )
    return digits.first(limit)


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


@contextmanager
def _timed(phase: str, seconds: dict[str, float]) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[phase] = round(time.perf_counter() - start, 3)
