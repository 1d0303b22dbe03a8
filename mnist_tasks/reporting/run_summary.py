"""The numbers of a run's report: no rendering."""

from __future__ import annotations

from dataclasses import dataclass

from mnist_tasks import stats
from mnist_tasks.records import Layer, Metrics, RunRecord
from mnist_tasks.reporting.statuses import UNCHECKED

CONFIDENCE = 0.95


@dataclass(frozen=True, kw_only=True)
class DigitScore:
    """The scores of one digit.

    Attributes
    ----------
    precision
        The share of correct predictions among those of this digit; ``None`` if there are none.
    recall
        The share of correct predictions among images of this digit; ``None`` if there are none.
    support
        The number of images of this digit.
    """

    digit: int
    precision: float | None
    recall: float | None
    support: int


@dataclass(frozen=True, kw_only=True)
class Confusion:
    """How often images with one label were predicted to be another digit."""

    label: int
    predicted: int
    count: int


def by_digit(metrics: Metrics) -> tuple[DigitScore, ...]:
    """Return precision, recall and support of each digit."""
    predicted = [sum(column) for column in zip(*metrics.confusion, strict=True)]
    return tuple(
        DigitScore(
            digit=digit,
            precision=row[digit] / predicted[digit] if predicted[digit] else None,
            recall=row[digit] / sum(row) if sum(row) else None,
            support=sum(row),
        )
        for digit, row in enumerate(metrics.confusion)
    )


def confusions(metrics: Metrics) -> tuple[Confusion, ...]:
    """Return the confusions that occurred, the most frequent first."""
    found = [
        Confusion(label=label, predicted=predicted, count=count)
        for label, row in enumerate(metrics.confusion)
        for predicted, count in enumerate(row)
        if label != predicted and count
    ]
    return tuple(sorted(found, key=lambda each: -each.count))


def status(record: RunRecord) -> str:
    """Return the status of a run's verdict, or ``unchecked``."""
    return record.check.verdict.status if record.check else UNCHECKED


def metrics(record: RunRecord) -> Metrics | None:
    """Return the metrics of a run's check; ``None`` if there was no check or no prediction."""
    return record.check.metrics if record.check else None


def wrong(metrics: Metrics) -> int:
    """Return the number of wrong predictions."""
    return metrics.images - metrics.correct


def evaluation(record: RunRecord) -> tuple[Metrics, str] | tuple[None, None]:
    """Return a run's metrics and their images: those of its check, or else those of its sweep."""
    if (found := metrics(record)) is not None:
        return found, "test"
    return (record.trial.metrics, record.trial.evaluated_on) if record.trial else (None, None)


def interval(metrics: Metrics) -> tuple[float, float]:
    """Return the 95% confidence interval of the accuracy."""
    return stats.wilson_interval(metrics.correct, metrics.images, CONFIDENCE)


def layers(record: RunRecord) -> tuple[Layer, ...]:
    """Return the network's layers: as trained, or as the check found them in an older record."""
    return record.network or (record.check.layers if record.check else ())


def operations(record: RunRecord) -> int | None:
    """Return the multiply-adds per image; ``None`` if those of a layer are unknown."""
    counts = [layer.operations for layer in layers(record)]
    known = [count for count in counts if count is not None]
    return sum(known) if known and len(known) == len(counts) else None


def total_seconds(record: RunRecord) -> float:
    """Return the duration of the whole training, from imports to the saved model."""
    return sum(record.seconds.values())
