"""Tables for the terminal. Strings are shown as plain text: no markup, no escapes."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import TypeVar

from rich import box
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from mnist_tasks.errors import printable
from mnist_tasks.reporting.statuses import STATUSES

Shown = TypeVar("Shown")


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[str | Text]],
    *,
    title: str,
    right: Container[str] = (),
    tight: bool = False,
) -> Table:
    """Return a table.

    Parameters
    ----------
    right
        The columns that are aligned to the right.
    tight
        Leave a single blank between columns, so that many fit in 80 characters.
    """
    made = Table(
        title=Text(printable(title), "bold"),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 0) if tight else (0, 1),
    )
    for column in columns:
        justify = "right" if column in right else "left"
        made.add_column(
            Text(printable(column)),  # a string would be read as markup
            justify=justify,  # type: ignore[arg-type]
            overflow="fold",
        )
    for row in rows:
        made.add_row(*(Text(printable(cell)) if isinstance(cell, str) else cell for cell in row))
    return made


def spread(rows: Sequence[Shown], most: int) -> list[Shown]:
    """Return rows, or some at even distances with the first and the last if there are too many.

    >>> spread(range(100), 4)
    [0, 33, 66, 99]
    """
    if len(rows) <= most:
        return list(rows)
    return [rows[n * (len(rows) - 1) // (most - 1)] for n in range(most)]


def width(made: Table) -> int:
    """Return how many columns of a terminal a table needs."""
    wide = Console(width=10_000)
    return made.__rich_measure__(wide, wide.options).maximum


def status(word: str) -> Text:
    """Return a status in its style."""
    return Text(word, STATUSES[word].style)


def panel(title: str, rows: Mapping[str, str | tuple[str, ...]]) -> Panel:
    """Return names and values in a frame; a tuple has a value for each line."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in rows.items():
        lines = value if isinstance(value, tuple) else (value,)
        grid.add_row(name, Text("\n".join(printable(line, limit=600) for line in lines)))
    return Panel(grid, title=Text(title), title_align="left", expand=False)
