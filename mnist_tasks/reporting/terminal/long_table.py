"""A table of thousands of rows, which rich would wrap cell by cell for seconds."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from mnist_tasks.reporting.terminal import tables

RULE, ASCII_RULE = "─", "-"


@dataclass(frozen=True, kw_only=True)
class LongTable:
    """A table as `tables.table` makes with `tight`; it is one if it is too wide for its lines.

    Attributes
    ----------
    rows
        Printable text.
    styles
        The styles of the words in the column `styled`.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    right: Container[str]
    styled: str
    styles: Mapping[str, str]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the lines of the table."""
        columns = list(zip(self.columns, *self.rows, strict=True))
        widths = [max(map(cell_len, column)) for column in columns]
        if sum(widths) + len(widths) + 1 > options.max_width:
            yield self._wrapped()
            return
        padded = [
            [_padded(cell, width, is_right=column[0] in self.right) for cell in column]
            for column, width in zip(columns, widths, strict=True)
        ]
        header, *lines = zip(*padded, strict=True)
        end, bold = Segment.line(), console.get_style("bold")
        styles = {word: console.get_style(style) for word, style in self.styles.items()}
        place = self.columns.index(self.styled)
        yield from (Segment(self.title, bold), end, end)
        yield from (Segment(f" {' '.join(header)} ", bold), end)
        rule = ASCII_RULE if options.ascii_only else RULE
        yield from (Segment(f" {rule * (sum(widths) + len(widths) - 1)} "), end)
        for cells, row in zip(lines, self.rows, strict=True):
            before, after = " ".join(cells[:place]), " ".join(cells[place + 1 :])
            yield Segment(f" {before} ")
            yield Segment(cells[place], styles.get(row[place]))
            yield from (Segment(f" {after} "), end)
        yield end

    def _wrapped(self) -> Table:
        place = self.columns.index(self.styled)
        rows = [
            [
                Text(cell, self.styles.get(cell, "")) if number == place else cell
                for number, cell in enumerate(row)
            ]
            for row in self.rows
        ]
        return tables.table(self.columns, rows, title=self.title, right=self.right, tight=True)


def _padded(cell: str, width: int, *, is_right: bool) -> str:
    blanks = " " * (width - cell_len(cell))
    return blanks + cell if is_right else cell + blanks
