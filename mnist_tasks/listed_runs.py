"""What a list of runs shows of each: a part of its record, which alone is decoded.

A record has 36 kB, most of them curves and filters. To list thousands of runs, the rest is skipped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec

from mnist_tasks import dataset_info, old_records
from mnist_tasks import record_ranges as ranges
from mnist_tasks.check_records import Metrics
from mnist_tasks.dataset_info import DatasetInfo
from mnist_tasks.records import SCHEMA, RunRecord
from mnist_tasks.verdict import (
    DEFAULT_CONFIDENCE,
    TEST_ACCURACY,
    Clause,
    Status,
    VerdictStatus,
    worst,
)

EARLIEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedRun:
    """A run as a list shows it.

    Attributes
    ----------
    time
        When it was made, by which runs are sorted: `RunRecord.order`, or else `RunRecord.created`.
    operations
        Multiply-adds per image; ``None`` if those of a layer are unknown.
    seconds
        Duration of the whole training, from imports to the saved model.
    dataset, dataset_title
        Of the check, or else of the training.
    trained_on
        The name of the data set of the training.
    status
        Of the check's verdict; ``None`` if the run was not checked.
    evaluated_by, evaluated_on
        Where the results come from, and of which images; ``None`` if there are no results.
    correct, images
        Number of images that were classified correctly, and of all.
    loss
        Mean sparse categorical cross-entropy, in nats.
    confidence
        Of the interval of the accuracy: that of the check.
    """

    id: str
    created: str
    time: datetime
    recipe: str
    seed: int | None
    epochs: int
    parameters: int
    operations: int | None
    seconds: float
    sha256: str
    dataset: str
    dataset_title: str
    trained_on: str
    status: VerdictStatus | None
    evaluated_by: Literal["check", "sweep"] | None
    evaluated_on: Literal["validation", "test"] | None
    correct: int
    images: int
    loss: float | None
    confidence: float = DEFAULT_CONFIDENCE

    @property
    def accuracy(self) -> float | None:
        """The share of images that were classified correctly, in [0, 1], if there are results."""
        return self.correct / self.images if self.images else None


class _Recipe(msgspec.Struct, gc=False):
    name: str


class _Model(msgspec.Struct, gc=False):
    sha256: ranges.Sha256
    parameters: ranges.Count


class _Layer(msgspec.Struct, gc=False):
    operations: ranges.Count | None = None


class _Epoch(msgspec.Struct, gc=False):
    pass


class _Interval(msgspec.Struct, gc=False):
    confidence: ranges.Confidence


class _Clause(msgspec.Struct, gc=False):
    name: str
    status: Status
    interval: _Interval | None = None


class _Verdict(msgspec.Struct, gc=False):
    clauses: tuple[_Clause, ...]


class _Check(msgspec.Struct, gc=False):
    model: _Model
    verdict: _Verdict
    metrics: Metrics | None
    layers: tuple[_Layer, ...] = ()
    dataset: DatasetInfo = dataset_info.MNIST


class _Trial(msgspec.Struct, gc=False):
    evaluated_on: Literal["validation", "test"]
    metrics: Metrics


class _Record(msgspec.Struct, gc=False):
    """The part of a `RunRecord` that is decoded."""

    id: str
    created: str
    recipe: _Recipe
    seed: ranges.Count | None
    epochs: tuple[_Epoch, ...]
    seconds: dict[str, ranges.Seconds]
    model: _Model
    network: tuple[_Layer, ...] = ()
    check: _Check | None = None
    trial: _Trial | None = None
    dataset: DatasetInfo = dataset_info.MNIST
    order: str = ""
    schema: int = SCHEMA


_DECODER = msgspec.json.Decoder(_Record)


def parse(content: bytes) -> ListedRun | str:
    """Return the run of a record's JSON, or why that part of the record is not valid.

    Raises
    ------
    msgspec.DecodeError, UnicodeDecodeError, RecursionError
        It is no JSON, or not that of a record.
    """
    record = old_records.decode(content, _DECODER)
    return invalid(record) or ("it has no epochs" if not record.epochs else _listed(record))


def of(record: RunRecord) -> ListedRun:
    """Return the run of a valid record."""
    return _listed(msgspec.convert(record, _Record, from_attributes=True))


def invalid(record: RunRecord | _Record) -> str:
    """Return why a well-formed record is not valid in what a list shows; empty if it is."""
    check, trial = record.check, record.trial
    if record.schema > SCHEMA:
        return f"schema {record.schema}, written by a newer version"
    if check and check.model.sha256 != record.model.sha256:
        return "its check is of another model file"
    measured = (
        (check and check.metrics, (check or record).dataset),
        (trial and trial.metrics, record.dataset),
    )
    faults = (_invalid_metrics(metrics, info) for metrics, info in measured if metrics)
    return next(filter(None, faults), "")


def _invalid_metrics(metrics: Metrics, info: DatasetInfo) -> str:
    if not metrics.images:
        return "its confusion matrix has no images"
    if {len(metrics.confusion), *map(len, metrics.confusion)} != {len(info.classes)}:
        return f"its confusion matrix is not of {len(info.classes)} classes"
    return ""


def confidence(clauses: Sequence[Clause | _Clause]) -> float:
    """Return the confidence of the interval of an accuracy, which the check decided."""
    found = (each.interval for each in clauses if each.name == TEST_ACCURACY)
    return next((each.confidence for each in found if each), DEFAULT_CONFIDENCE)


def total_operations(counts: Sequence[int | None]) -> int | None:
    """Return the multiply-adds of layers; ``None`` if those of a layer are unknown."""
    known = [count for count in counts if count is not None]
    return sum(known) if known and len(known) == len(counts) else None


def time_of(created: str, order: str = "") -> datetime:
    """Return the time by which a run or a check is sorted; the earliest if it has no valid one."""
    try:
        time = datetime.fromisoformat(order or created)
    except ValueError:
        return EARLIEST
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def following(time: datetime) -> str:
    """Return the time that follows another, as `RunRecord.order`."""
    try:
        return (time + timedelta(microseconds=1)).isoformat()
    except OverflowError:
        return time.isoformat()


def _listed(record: _Record) -> ListedRun:
    check, trial = record.check, record.trial
    dataset = (check or record).dataset
    layers = record.network or (check.layers if check else ())
    metrics = check.metrics if check else None
    source: Literal["check", "sweep"] = "check"
    evaluated_on: Literal["validation", "test"] = "test"
    if metrics is None and trial is not None:
        metrics, source, evaluated_on = trial.metrics, "sweep", trial.evaluated_on
    return ListedRun(
        id=record.id,
        created=record.created,
        time=time_of(record.created, record.order),
        recipe=record.recipe.name,
        seed=record.seed,
        epochs=len(record.epochs),
        parameters=record.model.parameters,
        operations=total_operations([layer.operations for layer in layers]),
        seconds=sum(record.seconds.values()),
        sha256=record.model.sha256,
        dataset=dataset.name,
        dataset_title=dataset.title,
        trained_on=record.dataset.name,
        status=worst(each.status for each in check.verdict.clauses) if check else None,
        evaluated_by=source if metrics else None,
        evaluated_on=evaluated_on if metrics else None,
        correct=metrics.correct if metrics else 0,
        images=metrics.images if metrics else 0,
        loss=metrics.loss if metrics else None,
        confidence=confidence(check.verdict.clauses if check else ()),
    )
