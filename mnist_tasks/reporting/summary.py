"""What the figures of a run say: plain numbers, no rendering."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mnist_tasks import stats

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mnist_tasks.records import Layer, Metrics, RunRecord

UNCHECKED = "not checked"
CONFIDENCE = 0.95


@dataclass(frozen=True, kw_only=True)
class DigitScore:
    """How one digit fared.

    Attributes
    ----------
    precision
        The share, of the images called this digit, that are it; ``None`` when none was called so.
    recall
        The share, of the images of this digit, that were called so; ``None`` when there are none.
    support
        How many images of this digit there are.
    """

    digit: int
    precision: float | None
    recall: float | None
    support: int


@dataclass(frozen=True, kw_only=True)
class Confusion:
    """How often one digit was taken for another."""

    truth: int
    predicted: int
    count: int


def by_digit(metrics: Metrics) -> tuple[DigitScore, ...]:
    """Return precision, recall and support of each digit."""
    called = [sum(column) for column in zip(*metrics.confusion, strict=True)]
    return tuple(
        DigitScore(
            digit=digit,
            precision=row[digit] / called[digit] if called[digit] else None,
            recall=row[digit] / sum(row) if sum(row) else None,
            support=sum(row),
        )
        for digit, row in enumerate(metrics.confusion)
    )


def worst_confusions(metrics: Metrics, count: int = 5) -> tuple[Confusion, ...]:
    """Return the most frequent mistakes, the worst first; fewer where there are fewer."""
    mistakes = [
        Confusion(truth=truth, predicted=predicted, count=number)
        for truth, row in enumerate(metrics.confusion)
        for predicted, number in enumerate(row)
        if truth != predicted and number
    ]
    return tuple(sorted(mistakes, key=lambda mistake: -mistake.count)[:count])


def most_mistaken(metrics: Metrics) -> int:
    """Return how often the most frequent mistake was made; 1 where there is none."""
    return max((mistake.count for mistake in worst_confusions(metrics, 1)), default=1)


def standing(record: RunRecord) -> str:
    """Return how a run stands with the contract: its verdict in a word, or ``not checked``."""
    return record.check.verdict.status if record.check else UNCHECKED


def metrics(record: RunRecord) -> Metrics | None:
    """Return the metrics of a run's check, where it was checked and could be asked."""
    return record.check.metrics if record.check else None


def judged(record: RunRecord) -> tuple[Metrics, str] | tuple[None, None]:
    """Return a run's metrics and by which images: of its check, or else those of its sweep."""
    if (found := metrics(record)) is not None:
        return found, "test"
    return (record.trial.metrics, record.trial.evaluated_on) if record.trial else (None, None)


def interval(metrics: Metrics) -> tuple[float, float]:
    """Return where the true accuracy lies, at 95% confidence."""
    return stats.wilson(metrics.correct, metrics.images, CONFIDENCE)


def layers(record: RunRecord) -> tuple[Layer, ...]:
    """Return the network's layers: as trained, or as the check saw them in an older record."""
    return record.network or (record.check.layers if record.check else ())


def operations(record: RunRecord) -> int | None:
    """Return the multiply-adds for one image; ``None`` where a layer's were not counted."""
    counts = [layer.operations for layer in layers(record)]
    known = [count for count in counts if count is not None]
    return sum(known) if known and len(known) == len(counts) else None


def total_seconds(record: RunRecord) -> float:
    """Return how long the whole training took, from its data to its saved model."""
    return sum(record.seconds.values())


def front(points: Sequence[tuple[float, float]]) -> frozenset[int]:
    """Return which points no other beats: none is as cheap and better, or as good and cheaper.

    Parameters
    ----------
    points
        Cost and value of each; equals are all on the front.
    """
    on_front = set()
    best = (float("inf"), float("-inf"))
    for i in sorted(range(len(points)), key=lambda i: (points[i][0], -points[i][1])):
        if points[i][1] > best[1] or points[i] == best:
            on_front.add(i)
            best = points[i]
    return frozenset(on_front)
