"""The results that travel between the houses: frozen, and written as JSON by `ledger`.

`SCHEMA` grows when a field changes its meaning or goes; a new field comes with a default, so that
an older record still reads.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from mnist_tasks.verdict import Verdict  # noqa: TC001 - msgspec reads the annotations

SCHEMA = 2
Shape = tuple[int | None, ...]


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """What one pass over the training images yielded; accuracy in [0, 1], on those images."""

    epoch: int
    loss: float
    accuracy: float
    seconds: float
    images_per_second: float


@dataclass(frozen=True, kw_only=True)
class Point:
    """A point of the training curve: the running means of the epoch so far, after `step` steps."""

    step: int
    loss: float
    accuracy: float


@dataclass(frozen=True, kw_only=True)
class ModelFile:
    """The saved model; `parameters` counts trainable and non-trainable ones."""

    path: str
    bytes: int
    sha256: str
    parameters: int


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Where a run took place: the device that TensorFlow really used, and its threads.

    Attributes
    ----------
    replicas
        On how many devices a copy of the model was trained.
    precision
        Of the arithmetic; the weights are float32.
    """

    device: str
    threads: int
    cores: int
    platform: str
    versions: dict[str, str]
    replicas: int = 1
    precision: str = "float32"


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One layer of a model's summary; ``None`` in the shape stands for the batch.

    Attributes
    ----------
    operations
        Multiply-adds for one image; ``None`` where they were not counted.
    """

    name: str
    kind: str
    output_shape: Shape
    parameters: int
    operations: int | None = None


@dataclass(frozen=True, kw_only=True)
class Metrics:
    """How a model did on labelled images.

    Attributes
    ----------
    confusion
        10 rows by the true digit, 10 columns by the predicted one: counts of images.
    loss
        Mean sparse categorical cross-entropy, in nats.
    calibration_error
        Expected calibration error in [0, 1], as `checking.evaluate` defines it; ``None`` in a
        record of an older version.
    """

    confusion: tuple[tuple[int, ...], ...]
    loss: float
    calibration_error: float | None = None

    @property
    def images(self) -> int:
        """How many images there were."""
        return sum(map(sum, self.confusion))

    @property
    def correct(self) -> int:
        """How many images were given their true digit."""
        return sum(row[digit] for digit, row in enumerate(self.confusion))

    @property
    def accuracy(self) -> float:
        """The share of images that were given their true digit, in [0, 1]."""
        return self.correct / self.images if self.images else 0.0


@dataclass(frozen=True, kw_only=True)
class Check:
    """A model file held against the contract.

    Attributes
    ----------
    metrics
        ``None`` where the model could not be asked for predictions.
    contract
        The file that the contract was read from; ``None`` stands for the four default clauses.
    """

    model: ModelFile
    layers: tuple[Layer, ...]
    trainable_parameters: int
    non_trainable_parameters: int
    verdict: Verdict
    metrics: Metrics | None
    seconds: float
    created: str
    contract: str | None = None
    schema: int = SCHEMA


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What a run in a sweep has beside: how it did on the images that the sweep judges by.

    Attributes
    ----------
    settings
        What the sweep chose for it, beside the recipe.
    evaluated_on
        ``validation``: the last images of the training set, which it was not trained on; or
        ``test``.
    worker
        Where it ran: host and process.
    attempts
        How many times it was begun: more than once where a worker died.
    digest
        Identifies the settings: the same for all seeds; empty in a record of an older version.
    """

    settings: dict[str, int | float]  # read back, a whole number stays one
    evaluated_on: Literal["validation", "test"]
    metrics: Metrics
    worker: str
    attempts: int
    digest: str = ""


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """One training run, from its settings to the file that it left.

    Attributes
    ----------
    recipe
        Every setting that the run used, resolved.
    command
        The command line that repeats the run.
    data
        The SHA-256 of each data file.
    seconds
        Of each phase: ``import``, ``data``, ``build``, ``fit``, ``save``.
    network
        The layers, with what each costs; empty in a record of an older version.
    filters
        The weights of the first convolution, for each of its filters a square of them, row by row.
    trial
        ``None`` for a run that was in no sweep.
    """

    id: str
    created: str
    command: str
    recipe: dict[str, Any]
    seed: int
    limit: int | None
    machine: Machine
    data: dict[str, str]
    epochs: tuple[Epoch, ...]
    seconds: dict[str, float]
    model: ModelFile
    curve: tuple[Point, ...] = ()
    network: tuple[Layer, ...] = ()
    filters: tuple[tuple[tuple[float, ...], ...], ...] = ()
    check: Check | None = None
    trial: Trial | None = None
    schema: int = SCHEMA


def now() -> str:
    """Return the time in UTC, to the second, as ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def new_id() -> str:
    """Return a name for a run that sorts by time: ``20261122-143512-7f3a``."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
