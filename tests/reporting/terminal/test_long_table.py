"""A long table looks like a table, and is one where it does not fit."""

from __future__ import annotations

import io

from rich.console import Console, RenderableType
from rich.text import Text

from mnist_tasks.reporting.terminal import tables
from mnist_tasks.reporting.terminal.long_table import LongTable

ROWS = [
    ("a", "1", "passed", "x"),
    ("漢字", "22", "odd", ""),
    ("long " * 5 + "long", "3", "failed", "y z"),
]
COLUMNS = ("run", "seed", "contract", "rest")
LONG = LongTable(
    title="Runs",
    columns=COLUMNS,
    rows=ROWS,
    right={"seed"},
    styled="contract",
    styles={"passed": "green", "failed": "bold red"},
)


def drawn(shown: RenderableType, width: int) -> list[str]:
    file = io.StringIO()
    console = Console(file=file, width=width, force_terminal=True, color_system="standard")
    console.print(shown)
    return [line.rstrip() for line in file.getvalue().splitlines()]


def plain(lines: list[str]) -> list[str]:
    return [Text.from_ansi(line).plain.rstrip() for line in lines]


def test_it_looks_like_a_table() -> None:
    table = tables.table(COLUMNS, ROWS, title="Runs", right={"seed"}, tight=True)
    for width in (100, 30, 12):
        assert plain(drawn(LONG, width)) == plain(drawn(table, width))
        assert max(map(len, plain(drawn(LONG, width)))) <= width


def test_a_word_has_its_style_whether_the_table_fits_or_not() -> None:
    for width in (100, 30):
        text = "\n".join(drawn(LONG, width))
        assert "\x1b[32mpassed" in text
        assert "\x1b[1;31mfailed" in text
        assert "mo" not in text
        assert "\x1b[1mRuns" in text


def test_without_rows_it_is_a_header() -> None:
    empty = LongTable(
        title="Runs", columns=COLUMNS, rows=(), right=(), styled="contract", styles={}
    )
    assert plain(drawn(empty, 80))[2] == " run seed contract rest"
