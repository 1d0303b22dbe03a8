"""The ranking of a sweep as a table, for every output."""

from __future__ import annotations

from collections.abc import Sequence

from mnist_tasks.reporting.formatting import count, loss, percent, percent_range, seconds
from mnist_tasks.sweeping.ranking import Rank, Spread

COLUMNS = (
    *("", "setting", "runs", "accuracy", "95% interval", "lowest", "loss", "parameters", "fit"),
)


def rows(ranking: Sequence[Rank]) -> list[tuple[str, ...]]:
    """Return the settings as rows of `COLUMNS`, the most accurate first."""
    return [
        (
            str(place),
            rank.name,
            count(rank.runs),
            mean(rank.accuracy),
            interval(rank.accuracy),
            percent(rank.accuracy.least),
            loss(rank.loss),
            count(rank.parameters),
            f"{seconds(rank.fit_seconds)} s",
        )
        for place, rank in enumerate(ranking, start=1)
    ]


def mean(accuracy: Spread) -> str:
    """Return a mean with its standard deviation: ``99.20 ± 0.08%``."""
    if accuracy.deviation is None:
        return percent(accuracy.mean)
    return f"{100 * accuracy.mean:.2f} ± {100 * accuracy.deviation:.2f}%"


def interval(accuracy: Spread) -> str:
    """Return the interval of the mean, or a dash."""
    low, high = accuracy.low, accuracy.high
    return percent_range(None if low is None or high is None else (low, high))
