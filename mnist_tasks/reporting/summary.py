"""What a confusion matrix says, digit by digit: plain numbers, no rendering."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mnist_tasks.records import Metrics


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
