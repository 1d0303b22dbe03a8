"""The numbers of a run's report: no rendering."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mnist_tasks import listed_runs, stats
from mnist_tasks.check_records import Layer, Metrics
from mnist_tasks.dataset_info import DatasetInfo
from mnist_tasks.listed_runs import ListedRun
from mnist_tasks.records import RunRecord
from mnist_tasks.reporting.statuses import UNCHECKED


@dataclass(frozen=True, kw_only=True)
class ClassScore:
    """The scores of one class.

    Attributes
    ----------
    label
        The place of the class in those of the data set.
    precision
        The share of correct predictions among those of this class; ``None`` if there are none.
    recall
        The share of correct predictions among images of this class; ``None`` if there are none.
    support
        The number of images of this class.
    """

    label: int
    name: str
    precision: float | None
    recall: float | None
    support: int


@dataclass(frozen=True, kw_only=True)
class Confusion:
    """How often images with one label were predicted to be of another class."""

    label: int
    predicted: int
    count: int


def dataset(record: RunRecord) -> DatasetInfo:
    """Return the data set of a run's check, or else of its training."""
    return (record.check or record).dataset


def by_class(metrics: Metrics, classes: Sequence[str]) -> tuple[ClassScore, ...]:
    """Return precision, recall and support of each class, of which these are the names."""
    predicted = [sum(column) for column in zip(*metrics.confusion, strict=True)]
    return tuple(
        ClassScore(
            label=label,
            name=name,
            precision=row[label] / predicted[label] if predicted[label] else None,
            recall=row[label] / sum(row) if sum(row) else None,
            support=sum(row),
        )
        for label, (name, row) in enumerate(zip(classes, metrics.confusion, strict=True))
    )


def worst(scores: Sequence[ClassScore], count: int) -> tuple[ClassScore, ...]:
    """Return the classes with the lowest recall, the lowest first; those without images last."""
    found = sorted(scores, key=lambda each: 2 if each.recall is None else each.recall)
    return tuple(found[:count])


def confusions(metrics: Metrics) -> tuple[Confusion, ...]:
    """Return the confusions that occurred, the most frequent first."""
    found = [
        Confusion(label=label, predicted=predicted, count=count)
        for label, row in enumerate(metrics.confusion)
        for predicted, count in enumerate(row)
        if label != predicted and count
    ]
    return tuple(sorted(found, key=lambda each: -each.count))


def status(run: RunRecord | ListedRun) -> str:
    """Return the status of a run's verdict, or ``unchecked``."""
    if isinstance(run, ListedRun):
        return run.status or UNCHECKED
    return run.check.verdict.status if run.check else UNCHECKED


def metrics(record: RunRecord) -> Metrics | None:
    """Return the metrics of a run's check; ``None`` if there was no check or no prediction."""
    return record.check.metrics if record.check else None


def wrong(metrics: Metrics) -> int:
    """Return the number of wrong predictions."""
    return metrics.images - metrics.correct


def confidence(run: RunRecord | ListedRun) -> float:
    """Return the confidence of every interval of a run: that of its contract, or else 99%."""
    if isinstance(run, ListedRun):
        return run.confidence
    return listed_runs.confidence(run.check.verdict.clauses if run.check else ())


def interval(run: RunRecord | ListedRun) -> tuple[float, float] | None:
    """Return the confidence interval of the accuracy; ``None`` if there are no results."""
    found = run if isinstance(run, ListedRun) else metrics(run)
    if found is None or not found.images:
        return None
    return stats.wilson_interval(found.correct, found.images, confidence(run))


def layers(record: RunRecord) -> tuple[Layer, ...]:
    """Return the network's layers: as trained, or as the check found them in an older record."""
    return record.network or (record.check.layers if record.check else ())


def operations(record: RunRecord) -> int | None:
    """Return the multiply-adds per image; ``None`` if those of a layer are unknown."""
    return listed_runs.total_operations([layer.operations for layer in layers(record)])


def total_seconds(record: RunRecord) -> float:
    """Return the duration of the whole training, from imports to the saved model."""
    return sum(record.seconds.values())
