"""The tables of several runs. Text from a file is shown as text, never as markup."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from mnist_tasks.errors import printable
from mnist_tasks.reporting import summary, text
from mnist_tasks.reporting.terminal import tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from mnist_tasks.records import RunRecord
    from mnist_tasks.reporting.comparison import Comparison, Row
    from mnist_tasks.run_store import StoredRuns

NEWEST = 10


def newest(ledger: StoredRuns) -> RenderableType:
    """Show the newest runs, the newest first."""
    return listed(ledger.records[: -NEWEST - 1 : -1], ledger)


def listed(records: Sequence[RunRecord], ledger: StoredRuns) -> RenderableType:
    """Show these runs of a ledger, in this order."""
    table = tables.table(
        "run",
        "recipe",
        "seed",
        "parameters",
        "accuracy",
        "contract",
        "seconds",
        title=f"Runs: {len(records):,} of {len(ledger.records):,}",
        right={"seed", "parameters", "accuracy", "seconds"},
        tight=True,
    )
    for record in records:
        metrics, evaluated_on = summary.judged(record)
        accuracy = text.percent(metrics.accuracy if metrics else None)
        standing = summary.standing(record)
        tables.add_row(
            table,
            record.id,
            str(record.recipe.get("name")),
            str(record.seed),
            f"{record.model.parameters:,}",
            f"held out {accuracy}" if evaluated_on == "validation" else accuracy,
            Text(standing, tables.STYLES.get(standing, "yellow")),
            f"{summary.total_seconds(record):.1f}",
        )
    lines = [Text(f"passed over {printable(each)}", style="yellow") for each in ledger.skipped]
    return Group(table, *lines)


def compared(comparison: Comparison) -> RenderableType:
    """Show what differs between runs, how they did, and where they part."""
    ids = zip(comparison.letters, comparison.records, strict=True)
    parts: list[RenderableType] = [Text(f"{letter}: {printable(run.id)}") for letter, run in ids]
    if comparison.differences:
        parts.append(_side_by_side(comparison, comparison.differences, "What differs"))
    parts.append(_side_by_side(comparison, comparison.figures, "How they did"))
    for pair in comparison.pairs:
        digits = tables.table(
            "", *map(str, range(10)), title=f"{pair.letter} against A, by true digit"
        )
        tables.add_row(digits, "regressed", *map(str, pair.regressed_by_digit))
        tables.add_row(digits, "fixed", *map(str, pair.fixed_by_digit))
        parts += [digits, Text(pair.words)]
    parts += [Text(f"not compared: {printable(each)}") for each in comparison.unpaired]
    return Group(*parts)


def _side_by_side(comparison: Comparison, rows: Sequence[Row], title: str) -> RenderableType:
    table = tables.table("", *comparison.letters, title=title)
    for row in rows:
        tables.add_row(table, row.name, *row.values)
    return table
