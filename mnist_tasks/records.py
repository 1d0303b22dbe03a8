"""What a run records: frozen dataclasses, which `run_store` writes as JSON.

`SCHEMA` increases when a field is removed or changes its meaning (see `old_records`); a new field
has a default, so that older records can be read.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from msgspec import Meta

from mnist_tasks import dataset_info
from mnist_tasks import record_ranges as ranges
from mnist_tasks.check_records import Check, Layer, Metrics, ModelFile
from mnist_tasks.code_records import NetworkSource, Script
from mnist_tasks.dataset_info import DatasetInfo

SCHEMA = 2


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """The results of one epoch; loss and accuracy, in [0, 1], are means over its images.

    Of a training with the user's own script, accuracy and speed may be unknown.

    Attributes
    ----------
    validation_loss, validation_accuracy
        On the validation images: those of `RunRecord.validation`, evaluated with the weights that
        would have been saved then, or those of the user's own script. ``None`` if there are none.
    """

    epoch: ranges.Count
    loss: ranges.Loss
    accuracy: ranges.Share | None
    seconds: ranges.Seconds
    images_per_second: ranges.Speed | None
    validation_loss: ranges.Loss | None = None
    validation_accuracy: ranges.Share | None = None


@dataclass(frozen=True, kw_only=True)
class Point:
    """A point of the training curve: the running means of the epoch after `step` steps."""

    step: ranges.Count
    loss: ranges.Loss
    accuracy: ranges.Share | None


@dataclass(frozen=True, kw_only=True)
class Machine:
    """The machine of a run: the device that TensorFlow used, and its threads on the CPU.

    Attributes
    ----------
    replicas
        Number of devices, each with a copy of the model.
    precision
        Precision of the computation; the weights are float32.
    cpu
        The processor's model and its widest vector instructions, for which TensorFlow has kernels
        of its own; empty if they are unknown, or in a record of an older version.
    """

    device: str
    threads: ranges.Count
    cores: ranges.Count
    platform: str
    versions: dict[str, str]
    replicas: ranges.Count = 1
    precision: str = "float32"
    cpu: str = ""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What is recorded only for runs of a sweep.

    Attributes
    ----------
    settings
        The recipe settings that the sweep chose.
    evaluated_on
        The images of `metrics`: ``validation``, the last images of the training set, which the run
        was not trained on; or ``test``.
    worker
        The worker that ran it, as ``host:process``.
    attempts
        How many times it was started: more than once if a worker was lost.
    digest
        Identifies all settings but the seed; empty in some older records.
    """

    settings: dict[str, ranges.Setting]  # whole numbers are read back as such
    evaluated_on: Literal["validation", "test"]
    metrics: Metrics
    worker: str
    attempts: ranges.Count
    digest: str = ""


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """One training run, from its settings to its model.

    Attributes
    ----------
    recipe
        All settings of the recipe, defaults included; of a script's run, those that are known.
    command
        The command line that repeats the run.
    data
        The SHA-256 of each data file.
    seed
        ``None`` if it is unknown.
    seconds
        Duration of each phase: ``import``, ``data``, ``build``, ``fit``, ``save``.
    network
        The layers and their costs; empty in a record of an older version.
    filters
        The weights of the first convolution: a square for each filter, row by row.
    trial
        ``None`` if the run is not part of a sweep.
    dataset
        What the training images and their labels are.
    network_source
        The user's own network; ``None`` if the run trained that of a recipe.
    trainer
        ``fast`` for the loop of this package, ``fit`` for that of Keras.
    script
        The script of the user that trained the model; ``None`` if this package did.
    validation
        How many of the last training images were held out, on which each epoch was evaluated; 0 of
        a script's run, which may have validation images of its own.
    order
        The time by which runs are sorted if it is not `created`: after the clock was set back, or
        if the run before ended in the same second, the time of that run and a microsecond.
    """

    id: str
    created: str
    command: str
    recipe: dict[str, Any]
    seed: ranges.Count | None
    limit: ranges.Count | None
    machine: Machine
    data: dict[str, str]
    epochs: Annotated[tuple[Epoch, ...], Meta(min_length=1)]
    seconds: dict[str, ranges.Seconds]
    model: ModelFile
    curve: tuple[Point, ...] = ()
    network: tuple[Layer, ...] = ()
    filters: tuple[ranges.Square, ...] = ()
    check: Check | None = None
    trial: Trial | None = None
    dataset: DatasetInfo = dataset_info.MNIST
    network_source: NetworkSource | None = None
    trainer: Literal["fast", "fit"] = "fast"
    script: Script | None = None
    validation: ranges.Count = 0
    order: str = ""
    schema: Annotated[int, Meta(ge=1)] = SCHEMA


def now() -> str:
    """Return the current time in UTC, to the second, in ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def new_id() -> str:
    """Return a new id for a run, which sorts by time: ``20261122-143512-7f3a``."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
