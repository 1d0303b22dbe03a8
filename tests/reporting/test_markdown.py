"""The report as Markdown."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from mnist_tasks.reporting import markdown
from mnist_tasks.reporting.comparison import Comparison
from mnist_tasks.run_store import StoredRuns
from tests import examples, runs

if TYPE_CHECKING:
    from pathlib import Path

    from mnist_tasks.reporting.run_view import View


def test_the_verdict_comes_first_and_all_the_rest_follows(view: View) -> None:
    text = markdown.run(view)
    assert text.startswith("## ✅ The contract holds.")
    titles = [line for line in text.splitlines() if line.startswith("### ")]
    assert (
        titles
        == [
            "### Figures",
            "### What was true (rows), what was said (columns)",
            "### Past runs",
            "### Time",
            "### Network",
            "### Settings",
            "### Machine",
            "### SHA-256",
        ]
        or [title.replace("\\", "") for title in titles] == titles
    )
    assert "| parameters | \\< 25,000 | 21,586 | ✅ passed |" in text
    assert view.record.command in text


def test_every_row_of_a_table_has_as_many_cells_as_its_head(view: View) -> None:
    record = runs.with_hostile_text(view.record)
    hostile = replace(view, record=record, everything=StoredRuns(records=(record,)))
    width = 0
    for line in markdown.run(hostile).splitlines():
        cells = line.replace("\\|", "").count("|") if line.startswith("|") else 0
        assert not width or not cells or cells == width
        width = cells


@pytest.mark.parametrize("text", ["<b>", "a|b", "`a`", "**a**", "[a](b)", "@bob", "#12", "\x1b[1m"])
def test_text_is_shown_as_text(text: str) -> None:
    shown = markdown.escape(text)
    for start in ("<", "|", "`", "**", "[", "@b", "#1", "\x1b"):
        assert f" {shown}".replace(f"\\{start}", "").find(start) == -1


def test_a_command_can_not_end_its_code() -> None:
    record = replace(examples.run(), command="a `b` ``c``")
    assert "``` a `b` ``c`` ```" in markdown._figures(record)


def test_what_is_least_important_is_dropped_when_it_is_too_long(view: View) -> None:
    many = {f"setting {n}": "x" * 400 for n in range(300)}
    record = replace(view.record, recipe={"name": "default", **many})
    text = markdown.run(replace(view, record=record))
    assert len(text.encode()) <= markdown.LARGEST_BYTES + 100
    assert "### Network" in text
    assert "### Settings" not in text
    assert "Shortened" in text


def test_runs_are_set_side_by_side(small_mnist: Path, tmp_path: Path) -> None:
    views = [runs.view(tmp_path / "runs", small_mnist, number) for number in (0, 1)]
    comparison = Comparison(views=tuple(views))
    text = markdown.compare(comparison)
    assert "| seed | 0 | 1 |" in text
    assert comparison.records[1].id in text
    assert f"p = {comparison.pairs[0].chance:.2g}" in text
