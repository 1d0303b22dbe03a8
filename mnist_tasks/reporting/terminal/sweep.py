"""The result of a sweep. Text from a file is shown as text, never as markup."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from mnist_tasks.errors import printable
from mnist_tasks.reporting import formatting
from mnist_tasks.reporting.terminal import tables
from mnist_tasks.sweeping.ranking import Spread
from mnist_tasks.sweeping.sweep import Sweep

MAX_FAILURES = 10


def sweep_result(sweep: Sweep) -> RenderableType:
    """Return the settings, the most accurate first, and the runs that failed."""
    columns = ("", "setting", "runs", "accuracy", "95% interval", "lowest", "fit")
    rows = [
        (
            f"{place} ",
            rank.name,
            f"{rank.runs:,} ",
            f"{_mean(rank.accuracy)} ",
            f"{_interval(rank.accuracy)} ",
            f"{rank.accuracy.least:.2%} ",
            f"{rank.fit_seconds:.1f} s",
        )
        for place, rank in enumerate(sweep.ranking, start=1)
    ]
    title = f"Accuracy on {sweep.images:,} {sweep.evaluated_on} images"
    right = {"", "runs", "accuracy", "lowest", "fit"}
    table = tables.table(columns, rows, title=title, right=right, tight=True)
    parts: list[RenderableType] = [table] if sweep.ranking else []
    for each in sweep.failed[:MAX_FAILURES]:
        failed = f"failed: {each.setting}, seed {each.seed}: {each.failure.found}"
        parts.append(Text(printable(failed, limit=400), "red"))
    if len(sweep.failed) > MAX_FAILURES:
        parts.append(Text(f"and {len(sweep.failed) - MAX_FAILURES:,} more that failed", "red"))
    done = f"{sweep.done:,} of {formatting.plural(sweep.runs, 'run')} done"
    kept = f", {sweep.kept:,} of them earlier" if sweep.kept else ""
    parts.append(Text(printable(f"{done}{kept}: {sweep.folder}", limit=1000), overflow="fold"))
    return Group(*parts)


def _mean(accuracy: Spread) -> str:
    """Return a mean with its standard deviation: ``99.20 ± 0.08%``."""
    if accuracy.deviation is None:
        return f"{accuracy.mean:.2%}"
    return f"{100 * accuracy.mean:.2f} ± {100 * accuracy.deviation:.2f}%"


def _interval(accuracy: Spread) -> str:
    """Return the interval of the mean: ``99.10 to 99.30%``."""
    if accuracy.low is None or accuracy.high is None:
        return "–"
    return f"{100 * accuracy.low:.2f} to {100 * accuracy.high:.2f}%"
