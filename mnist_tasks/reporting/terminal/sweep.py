"""The result of a sweep. Text from a file is shown as text, never as markup."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from mnist_tasks.errors import printable
from mnist_tasks.foreground import command_line
from mnist_tasks.reporting import formatting, looks_text, ranking_rows
from mnist_tasks.reporting.sweep_view import UNFINISHED, SweepView
from mnist_tasks.reporting.terminal import tables
from mnist_tasks.sweeping.ranking import Rank
from mnist_tasks.sweeping.summary import FailedRun, Sweep

MAX_FAILURES = 10
COLUMNS = ("", "setting", "runs", "accuracy", "95% interval", "lowest", "fit")


def sweep_result(sweep: Sweep) -> RenderableType:
    """Return the settings, the most accurate first, and the runs that failed."""
    kept = f", {sweep.kept:,} of them earlier" if sweep.kept else ""
    done = f"{sweep.done:,} of {formatting.plural(sweep.runs, 'run')} done{kept}"
    said = looks_text.sentences(sweep.looks)
    lines = [_line(each) for each in (said, f"{done}: {sweep.folder}") if each]
    if sweep.ranking:
        command = command_line(["mnist-tasks", "report", sweep.folder])
        lines.append(_line(f"`{command}` writes a page of it."))
    return Group(
        *_ranking(sweep.ranking, sweep.images, sweep.evaluated_on), *_failed(sweep.failed), *lines
    )


def report(view: SweepView) -> RenderableType:
    """Return the same of a sweep whose folder was read, and what its ranking shows."""
    sweep = view.sweep
    done = f"{formatting.plural(len(sweep.records), 'run')} done, {UNFINISHED}"
    if sweep.planned is not None:
        done = f"{len(sweep.records):,} of {formatting.plural(sweep.planned, 'run')} done"
    said = (view.caution, looks_text.sentences(view.looks), f"{done}: {sweep.folder}")
    lines = [_line(each) for each in said if each]
    lines += [Text(f"skipped {printable(each)}", style="yellow") for each in sweep.skipped]
    return Group(
        *_ranking(sweep.ranking, sweep.images, sweep.evaluated_on), *_failed(sweep.failed), *lines
    )


def _ranking(ranking: Sequence[Rank], images: int, evaluated_on: str) -> list[RenderableType]:
    if not ranking:
        return []
    rows = [
        (f"{place} ", name, f"{runs} ", f"{mean} ", f"{interval} ", f"{lowest} ", fit)
        for place, name, runs, mean, interval, lowest, _, _, fit in ranking_rows.rows(ranking)
    ]
    title = f"Accuracy on {images:,} {evaluated_on} images"
    right = {"", "runs", "accuracy", "lowest", "fit"}
    return [tables.table(COLUMNS, rows, title=title, right=right, tight=True)]


def _failed(failed: Sequence[FailedRun]) -> list[RenderableType]:
    parts: list[RenderableType] = []
    for each in failed[:MAX_FAILURES]:
        line = f"failed: {each.setting}, seed {each.seed}: {each.failure.found}"
        parts.append(Text(printable(line, limit=400), "red"))
    if len(failed) > MAX_FAILURES:
        parts.append(Text(f"and {len(failed) - MAX_FAILURES:,} more that failed", "red"))
    return parts


def _line(text: str) -> Text:
    return Text(printable(text, limit=1000), overflow="fold")
