"""What `runs` and `report` print: one run, a list of runs, a comparison."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from mnist_tasks.errors import printable
from mnist_tasks.records import Metrics, RunRecord
from mnist_tasks.reporting import formatting, run_summary, run_text
from mnist_tasks.reporting.run_view import RunView
from mnist_tasks.reporting.terminal import results, tables
from mnist_tasks.run_store import StoredRuns

if TYPE_CHECKING:  # these are slow to import
    from mnist_tasks.reporting.comparison import Comparison, Row

NEWEST = 10
MOST_CONFUSIONS = 5


def run(record: RunRecord) -> RenderableType:
    """Show a run: its training, its verdict and the scores of each digit."""
    parts: list[RenderableType] = [results.trained(record)]
    if record.check is None:
        command = f"mnist-tasks check {shlex.quote(record.model.path)}"
        parts.append(Text(printable(f"not checked yet: run `{command}`", limit=1000), "yellow"))
        return Group(*parts)
    parts += [Text(), results.verdict(record.check)]
    if record.check.metrics is not None:
        parts += [Text(), digits(record.check.metrics)]
    return Group(*parts)


def digits(metrics: Metrics) -> RenderableType:
    """Show precision, recall and the row of the confusion matrix of each digit."""
    rows: list[list[str | Text]] = []
    for score, row in zip(run_summary.by_digit(metrics), metrics.confusion, strict=True):
        cells = [
            Text(str(count), "green" if predicted == score.digit else "red" if count else "dim")
            for predicted, count in enumerate(row)
        ]
        scores = (formatting.percent(score.precision), formatting.percent(score.recall))
        rows.append([str(score.digit), *scores, *cells])
    numbers = ("precision", "recall", *map(str, range(10)))
    title = f"{metrics.images:,} test images: labels (rows), predictions (columns)"
    table = tables.table(("digit", *numbers), rows, title=title, right=numbers, tight=True)
    confusions = ", ".join(
        f"{each.label} predicted as {each.predicted} ({each.count}×)"
        for each in run_summary.confusions(metrics)[:MOST_CONFUSIONS]
    )
    return Group(
        table,
        Text(
            f"accuracy {metrics.accuracy:.2%}, loss {metrics.loss:.4f}; "
            f"{run_summary.wrong(metrics):,} wrong; most frequent: {confusions or 'none'}"
        ),
    )


def report(shown: RunView | Comparison) -> RenderableType:
    """Show a comparison, or one run and the newest of all runs."""
    if not isinstance(shown, RunView):
        return compared(shown)
    return Group(run(shown.record), newest(shown.stored_runs))


def newest(stored: StoredRuns) -> RenderableType:
    """Show the newest runs, the newest first."""
    return listed(stored.records[: -NEWEST - 1 : -1], stored)


def listed(records: Sequence[RunRecord], stored: StoredRuns) -> RenderableType:
    """Show some of the stored runs, in the given order."""
    title = f"Runs: {len(records):,} of {len(stored.records):,}"
    right = {"seed", "parameters", "accuracy", "seconds"}
    rows = [
        list((row | {"contract": tables.status(row["contract"])}).values())
        for row in map(run_text.row, records)
    ]
    table = tables.table(run_text.RUN_COLUMNS, rows, title=title, right=right, tight=True)
    lines = [Text(f"skipped {printable(each)}", style="yellow") for each in stored.skipped]
    return Group(table, *lines)


def compared(comparison: Comparison) -> RenderableType:
    """Show the differences between runs, their results, and the images that changed."""
    parts: list[RenderableType] = [
        Text(f"{letter}: {printable(record.id)}")
        for letter, record in zip(comparison.letters, comparison.records, strict=True)
    ]
    if comparison.differences:
        parts.append(_side_by_side(comparison, comparison.differences, "Differences"))
    parts.append(_side_by_side(comparison, comparison.results, "Results"))
    for pair in comparison.pairs:
        title = f"{pair.letter} compared with A, by label"
        counts = {"regressed": pair.regressed_by_digit, "fixed": pair.fixed_by_digit}
        rows = [(name, *map(str, by_digit)) for name, by_digit in counts.items()]
        table = tables.table(("", *map(str, range(10))), rows, title=title)
        parts += [table, Text(f"{pair.outcome} {pair.difference}")]
    parts += [Text(f"not compared: {printable(each)}") for each in comparison.unpaired]
    return Group(*parts)


def _side_by_side(comparison: Comparison, rows: Sequence[Row], title: str) -> RenderableType:
    cells = [(row.name, *row.values) for row in rows]
    return tables.table(("", *comparison.letters), cells, title=title)
