"""One training run, from its configuration to the saved model and its record."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol

from mnist_tasks import disk, records, run_models
from mnist_tasks.code_records import NetworkSource
from mnist_tasks.config import TrainingConfig
from mnist_tasks.data.store import LabeledImages
from mnist_tasks.errors import UsageError
from mnist_tasks.foreground import command_line
from mnist_tasks.records import Epoch, Point, RunRecord
from mnist_tasks.training import (
    library_warnings,
    loop,
    network_file,
    recipes,
    saving,
    settings,
    tensorflow_setup,
    user_code,
)
from mnist_tasks.training.loop import EpochProgress
from mnist_tasks.training.network_file import NetworkFile
from mnist_tasks.training.setup import Setup


class Training(Protocol):
    """A model that is built and can be trained."""

    model: Any

    @property
    def trainer(self) -> Literal["fast", "fit"]:
        """What trains it, for the record."""

    def run(self, progress: EpochProgress) -> tuple[tuple[Epoch, ...], tuple[Point, ...]]:
        """Train the model."""

    def as_record(self) -> dict[str, Any]:
        """Return the settings of the training, for the record."""


@library_warnings.lenient()
def train(
    config: TrainingConfig,
    load_data: Callable[[], LabeledImages],
    *,
    network: NetworkFile | None = None,
    progress: EpochProgress = loop.SILENT,
    copy: Path | None = None,
) -> RunRecord:
    """Train a recipe or the user's own network, save the model and return the record of the run.

    Parameters
    ----------
    network
        The user's network; by default the one that the configuration names, if any.
    copy
        Where the caller will copy the model to: there is room for it, too.
    load_data
        Returns the training images and labels; called before TensorFlow is loaded.

    Raises
    ------
    InputRefusedError
        The user's network is missing, fails, or doesn't fit the data set.
    UsageError
        A setting is not valid, the learning rate makes the loss infinite, or there are too few
        images for the devices.
    EnvironmentProblemError
        TensorFlow or the device is missing, or a file can't be written.
    """
    recipe = recipes.resolve(config)
    if network is None and config.network is not None:
        network = network_file.find(config.network)
    disk.require_output(config.output, remedy=saving.OTHER_OUTPUT)
    seconds: dict[str, float] = {}
    with _timed("data", seconds):
        data, validation = _split(load_data(), config)
    # Before her folder is importable, which may have a package `keras`.
    with _timed("import", seconds):
        is_new = tensorflow_setup.import_tensorflow()
        placement = tensorflow_setup.prepare(
            config, micro_batches=recipe.micro_batches, is_new=is_new
        )
        if placement.note:
            progress.note(placement.note)
        setup = Setup(
            config=config, recipe=recipe, data=data, placement=placement, validation=validation
        )
        build = _builder(setup, network, progress)
    importable = network_file.importable(network.folder) if network else nullcontext()
    with importable, tensorflow_setup.temporary_files():
        with _timed("build", seconds):
            training = build()
            source = _source(network)  # now: the user may edit her files during the training
        outputs = {config.output: saving.OTHER_OUTPUT}
        if copy is not None:
            outputs[copy] = run_models.OTHER_OUTPUT
        with _timed("fit", seconds), saving.room(training.model, outputs):
            epochs, curve = training.run(progress)
        with _timed("save", seconds):
            saved = saving.save(training.model, config.output)
    from mnist_tasks.training import fit_facts  # which imports Keras

    return RunRecord(
        id=records.new_id(),
        created=records.now(),
        command=command(config),
        recipe=training.as_record(),
        seed=config.seed,
        limit=config.limit,
        machine=placement.machine,
        data=dict(data.sha256),
        epochs=epochs,
        curve=curve,
        network=fit_facts.layers(training.model),
        filters=fit_facts.filters(training.model),
        seconds=seconds,
        model=saved,
        dataset=data.info,
        network_source=source,
        trainer=training.trainer,
        validation=config.validation,
    )


def _builder(
    setup: Setup, network: NetworkFile | None, progress: EpochProgress
) -> Callable[[], Training]:
    """Import what builds the model, once TensorFlow is set up."""
    setup.sizes  # noqa: B018 - too few images are an error before anything is built
    if network is None:
        from mnist_tasks.training.recipe_training import RecipeTraining

        return partial(RecipeTraining, setup)
    from mnist_tasks.training.user_training import UserTraining

    progress.note(network_file.note(network))
    return partial(UserTraining, setup, network)


def _source(network: NetworkFile | None) -> NetworkSource | None:
    if network is None:
        return None
    imports = {} if network.given else user_code.imports(network)
    return dataclasses.replace(network.source, imports=imports)


def command(config: TrainingConfig) -> str:
    """Return the command line that repeats a run on this machine."""
    words = ["mnist-tasks", "train"]
    for each in dataclasses.fields(config):
        value = getattr(config, each.name)
        if each.name == "settings":
            for setting in settings.words(value):
                words += [settings.OPTION, setting]
        elif value is not None and not (each.name == "validation" and value == 0):
            words += [f"--{each.name.replace('_', '-')}", str(value)]
    return command_line(words)


def _split(
    data: LabeledImages, config: TrainingConfig
) -> tuple[LabeledImages, LabeledImages | None]:
    """Return the images to train on, and those to evaluate on after each epoch."""
    validation, limit = config.validation, config.limit
    available = len(data.labels) - validation
    if available < 1:
        raise UsageError(
            "--validation",
            expected=f"a whole number from 0 to {len(data.labels) - 1:,}: {data.info.title} has "
            f"{len(data.labels):,} training images",
            found=f"{validation:,}",
        )
    if limit is not None and limit > available:
        others = f" without the last {validation:,}, which are for validation" if validation else ""
        raise UsageError(
            "--limit",
            expected=f"a whole number from 1 to {available:,}, the images of {data.info.title}"
            f"{others}",
            found=f"{limit:,}",
        )
    return data.first(limit or available), data.last(validation) if validation else None


@contextmanager
def _timed(phase: str, seconds: dict[str, float]) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[phase] = round(time.perf_counter() - start, 3)
