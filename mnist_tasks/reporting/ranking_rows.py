"""The ranking of a sweep as a table, for every output."""

from __future__ import annotations

from collections.abc import Sequence

from mnist_tasks.reporting.formatting import ABSENT
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
            f"{rank.runs:,}",
            mean(rank.accuracy),
            interval(rank.accuracy),
            f"{rank.accuracy.least:.2%}",
            f"{rank.loss:.4f}",
            f"{rank.parameters:,}",
            f"{rank.fit_seconds:.1f} s",
        )
        for place, rank in enumerate(ranking, start=1)
    ]


def mean(accuracy: Spread) -> str:
    """Return a mean with its standard deviation: ``99.20 ± 0.08%``."""
    if accuracy.deviation is None:
        return f"{accuracy.mean:.2%}"
    return f"{100 * accuracy.mean:.2f} ± {100 * accuracy.deviation:.2f}%"


def interval(accuracy: Spread) -> str:
    """Return the interval of the mean: ``99.10 to 99.30%``."""
    if accuracy.low is None or accuracy.high is None:
        return ABSENT
    return f"{100 * accuracy.low:.2f} to {100 * accuracy.high:.2f}%"
