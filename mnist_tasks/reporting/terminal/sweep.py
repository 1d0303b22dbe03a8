"""The tables of a sweep. Text from a file is shown as text, never as markup."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from mnist_tasks.errors import printable
from mnist_tasks.reporting import formatting
from mnist_tasks.reporting.terminal import tables

if TYPE_CHECKING:
    from rich.console import RenderableType

    from mnist_tasks.sweeping.ranking import Spread
    from mnist_tasks.sweeping.sweep import Sweep

MOST_FAILURES = 10


def swept(sweep: Sweep) -> RenderableType:
    """Show the settings, the most accurate first, and the runs that failed."""
    judge = formatting.evaluation_images(sweep.evaluated_on)
    table = tables.table(
        "",
        "setting",
        "runs",
        "accuracy",
        "95% interval",
        "lowest",
        "fit",
        title=f"Accuracy on {sweep.images:,} {judge}",
        right={"", "runs", "accuracy", "lowest", "fit"},
        tight=True,
    )
    for place, rank in enumerate(sweep.ranking, start=1):
        accuracy = rank.accuracy
        tables.add_row(
            table,
            f"{place} ",
            rank.name,
            f"{rank.runs:,} ",
            f"{mean(accuracy)} ",
            f"{interval(accuracy)} ",
            f"{accuracy.least:.2%} ",
            f"{rank.fit_seconds:.1f} s",
        )
    parts: list[RenderableType] = [table] if sweep.ranking else []
    for each in sweep.failed[:MOST_FAILURES]:
        failed = f"failed: {each.setting}, seed {each.seed}: {each.failure.found}"
        parts.append(Text(printable(failed, limit=400), "red"))
    if len(sweep.failed) > MOST_FAILURES:
        parts.append(Text(f"and {len(sweep.failed) - MOST_FAILURES:,} more that failed", "red"))
    done = f"{sweep.done:,} of {formatting.plural(sweep.runs, 'run')} done"
    kept = f", {sweep.kept:,} of them before" if sweep.kept else ""
    parts.append(Text(printable(f"{done}{kept}: {sweep.folder}", limit=1000), overflow="fold"))
    return Group(*parts)


def mean(accuracy: Spread) -> str:
    """Return a mean with its standard deviation: ``99.20 ± 0.08%``."""
    if accuracy.deviation is None:
        return f"{accuracy.mean:.2%}"
    return f"{100 * accuracy.mean:.2f} ± {100 * accuracy.deviation:.2f}%"


def interval(accuracy: Spread) -> str:
    """Return where the mean over all seeds lies."""
    if accuracy.low is None or accuracy.high is None:
        return "–"
    low, high = max(0.0, accuracy.low), min(1.0, accuracy.high)
    return f"{100 * low:.2f} to {100 * high:.2f}%"
