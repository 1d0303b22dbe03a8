"""How the terminal's tables look, and that they take strings for text."""

from __future__ import annotations

from rich import box
from rich.table import Table
from rich.text import Text

from mnist_tasks.errors import printable

STYLES = {
    "passed": "green",
    "failed": "bold red",
    "inconclusive": "bold yellow",
    "not measured": "bold red",
}


def table(*columns: str, title: str, right: set[str] | None = None, tight: bool = False) -> Table:
    """Return an empty table; the columns named in `right` are figures.

    One that is `tight` has a single blank between its columns, so that many fit in 80 characters.
    """
    drawn = Table(
        title=title,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        title_style="bold",
        padding=(0, 0) if tight else (0, 1),
    )
    for column in columns:
        justify = "right" if column in (right or ()) else "left"
        drawn.add_column(column, justify=justify, overflow="fold")  # type: ignore[arg-type]
    return drawn


def add_row(table: Table, *cells: str | Text) -> None:
    """Add a row whose strings are text: no markup, which rich looks for, and no escapes."""
    table.add_row(*(Text(printable(cell)) if isinstance(cell, str) else cell for cell in cells))
