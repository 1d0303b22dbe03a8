"""Checks and reports as Markdown."""

from __future__ import annotations

import html as html_entities
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from markdown_it import MarkdownIt

from mnist_tasks.checking.results import gather, of_check
from mnist_tasks.reporting import markdown, markdown_text
from mnist_tasks.reporting.comparison import Comparison
from tests import check_results, examples, runs

if TYPE_CHECKING:
    from pathlib import Path

    from mnist_tasks.reporting.run_view import RunView


def test_the_verdict_comes_first(view: RunView) -> None:
    text = markdown.run(view)
    assert text.startswith("## ✅ The contract passed.")
    titles = [line for line in text.splitlines() if line.startswith("### ")]
    assert titles == [
        "### Figures",
        "### Labels (rows) and predictions (columns)",
        "### Time",
        "### Network",
        "### Settings",
        "### Machine",
        "### SHA-256",
    ]
    assert "| parameters | \\< 25,000 | 21,586 |  |  | ✅ passed |" in text
    assert view.record.command in text


def test_every_row_of_a_report_has_as_many_cells_as_its_header(view: RunView) -> None:
    record = runs.with_hostile_text(view.record)
    hostile = replace(view, record=record, stored_runs=examples.stored(record))
    width = 0
    for line in markdown.run(hostile).splitlines():
        cells = line.replace("\\|", "").count("|") if line.startswith("|") else 0
        assert not width or not cells or cells == width
        width = cells


@pytest.mark.parametrize("before", ["", "\\", "\\\\", "a\\"])
@pytest.mark.parametrize(
    "text", ["<b>", "<img src=//e.io/a>", "a|b", "`a`", "**a**", "[a](b)", "# a"]
)
def test_text_is_shown_as_text(before: str, text: str) -> None:
    table = markdown_text.table("", ["column"], [[before + text]])
    page = MarkdownIt("commonmark").enable("table").render(table)
    assert set(re.findall(r"</?([a-z0-9]+)", page)) == {"table", "thead", "tbody", "tr", "th", "td"}
    (cell,) = re.findall("<td>(.*)</td>", page)
    assert html_entities.unescape(cell).replace("\u200b", "") == before + text


@pytest.mark.parametrize("text", ["@bob", "#12", "\x1b[1m"])
def test_text_neither_refers_to_people_nor_colors_the_terminal(text: str) -> None:
    assert text not in markdown_text.escape(text).replace("\\", "")


def test_a_command_cannot_end_its_code_span() -> None:
    record = replace(examples.run(), command="a `b` ``c``")
    assert "``` a `b` ``c`` ```" in markdown._figures(record)


def test_a_report_that_is_too_long_loses_its_least_important_parts(view: RunView) -> None:
    many = {f"setting {n}": "x" * 400 for n in range(300)}
    record = replace(view.record, recipe={"name": "default", **many})
    text = markdown.run(replace(view, record=record))
    assert len(text.encode()) <= markdown.LARGEST_BYTES + 100
    assert "### Network" in text
    assert "### Settings" not in text
    assert "Shortened" in text


def test_runs_are_compared_side_by_side(small_mnist: Path, tmp_path: Path) -> None:
    views = [runs.view(tmp_path / "runs", small_mnist, number) for number in (0, 1)]
    comparison = Comparison(views=tuple(views))
    text = markdown.compare(comparison)
    assert "| seed | 0 | 1 |" in text
    assert comparison.records[1].id in text
    assert f"p = {comparison.pairs[0].counts.p_value:.2g}" in text


def test_each_checked_model_has_a_sentence_and_a_table() -> None:
    shown = markdown.check(check_results.every_kind())
    assert shown.startswith("# mnist-tasks check\n\nContract: contract.toml\n")
    assert shown.count("\n## ") == 4
    assert "## ✅ model.h5\n\nThe contract passed.\n" in shown
    assert "## ⚠️ model.h5\n\nThe contract is inconclusive.\n" in shown
    assert "## ❌ model.h5\n\nThe contract did not pass.\n" in shown
    assert (
        "| test accuracy | \\> 95.00% | 95.20%; could be slightly better or worse "
        "| 480 wrong of 10,000; 443 allowed | 94.62–95.72% at 99% | ⚠️ inconclusive |\n"
    ) in shown
    assert "it has 2 inputs |  |  | ⚠️ not measured |" in shown
    assert (
        "## ❌ bad.h5\n\nInput refused.\n\n- where: bad.h5\n- expected: a model\n"
        "- found: a pickle\n- what to do: don't\n"
    ) in shown


def test_of_too_many_models_those_that_passed_are_left_out() -> None:
    passed, *others = check_results.every_kind().checks
    assert passed.status == "passed"
    shown = markdown.check(gather([*[passed] * 500, *others], None))
    assert len(shown.encode()) <= markdown.LARGEST_BYTES + 100
    titles = [line[3] for line in shown.splitlines() if line.startswith("## ")]
    assert "✅" not in titles[: len(others)]
    assert titles.count("✅") == len(titles) - len(others)
    assert shown.endswith("(Shortened: `--json` has the rest.)\n")


def test_the_versions_of_keras_are_below_the_table() -> None:
    checked = replace(examples.check(), keras="tf-keras 2.21.0", keras_version="2.3.1")
    shown = markdown.check(gather([of_check(checked)], None))
    assert shown.endswith(" |\n\nModel: written by Keras 2.3.1, run with tf-keras 2.21.0\n")


def test_the_contract_is_named(view: RunView) -> None:
    assert "\n\nContract: the default contract\n" in markdown.check(gather([], None))
    assert "\n\nContract: the default contract\n\n|" in markdown.run(view)
    checked = replace(examples.check(), contract="../pyproject.toml")
    shown = markdown.run(replace(view, record=replace(view.record, check=checked)))
    assert "\n\nContract: ../pyproject.toml\n\n|" in shown


def test_every_row_of_a_check_has_as_many_cells_as_its_header() -> None:
    shown = markdown.check(check_results.hostile())
    rows = [line for line in shown.splitlines() if line.startswith("|")]
    assert len(rows) == 3
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {7}


def test_hostile_text_in_a_check_shows_as_text() -> None:
    shown = markdown.check(check_results.hostile())
    assert not any(character in shown for character in "\x00\x1b\ufffe")
    for special in "`<[]@$&":
        assert not re.search(rf"(?<!\\){re.escape(special)}", shown), special
    assert "https\\://x" in shown
    assert "www\\.x" in shown
    assert max(map(len, shown.splitlines())) < 7_000
    headings = [line for line in shown.splitlines() if line.startswith("#")]
    assert len(headings) == 3
