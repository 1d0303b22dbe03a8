"""Curves of a training in the terminal, drawn with braille dots."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from rich.console import Console, ConsoleOptions, RenderResult
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

HEIGHT = 4  # rows of text
NARROWEST = 60  # columns that a terminal needs for two curves
# The dots of a braille character from the bottom up: left column, right column.
DOTS = ((0x40, 0x04, 0x02, 0x01), (0x80, 0x20, 0x10, 0x08))
BLANK = 0x2800


class Curve:
    """A curve as wide as the space it gets, with its newest value in the title."""

    def __init__(self, name: str, form: str) -> None:
        self.values: list[float] = []
        self._name = name
        self._form = form

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> RenderResult:
        """Draw the curve in a frame."""
        newest = self._form.format(self.values[-1]) if self.values else "–"
        lines = braille(self.values, width=options.max_width - 4, height=HEIGHT)
        yield Panel(
            Text("\n".join(lines), style="cyan", no_wrap=True),
            title=f"{self._name} {newest}",
            title_align="left",
            border_style="dim",
        )


def side_by_side(*curves: Curve) -> Table:
    """Return curves in columns of the same width."""
    grid = Table.grid(expand=True)
    for _ in curves:
        grid.add_column(ratio=1)
    grid.add_row(*curves)
    return grid


def braille(values: Sequence[float], *, width: int, height: int) -> list[str]:
    """Draw values from left to right as dots: two columns and four rows to a character.

    Values that are not finite, such as the loss of a diverged training, leave a gap.

    >>> braille([0, 1, 2, 3], width=2, height=1)
    ['⡠⠊']
    """
    cells = [[BLANK] * width for _ in range(height)]
    finite = [value for value in values if math.isfinite(value)]
    low, high = min(finite, default=0.0), max(finite, default=0.0)
    top = 4 * height - 1
    for column, value in enumerate(_spread(values, 2 * width)):
        if not math.isfinite(value):
            continue
        level = round(top * (value - low) / (high - low)) if high > low else 0
        cells[height - 1 - level // 4][column // 2] |= DOTS[column % 2][level % 4]
    return ["".join(map(chr, row)) for row in cells]


def _spread(values: Sequence[float], columns: int) -> Iterator[float]:
    """Yield at most one value for each column: all if they fit, or else evenly spaced ones."""
    if len(values) <= columns:
        yield from values
        return
    for column in range(columns):
        yield values[column * (len(values) - 1) // (columns - 1)]
