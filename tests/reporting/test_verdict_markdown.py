"""Markdown: a table a model, in which text from a file is text."""

import re

from mnist_tasks.checking.results import gather
from mnist_tasks.reporting import verdict_markdown
from tests import check_results


def test_each_model_has_its_sentence_and_its_table() -> None:
    shown = verdict_markdown.document(check_results.every_kind())
    assert shown.startswith("# mnist-tasks check\n\nContract: contract.toml\n")
    assert shown.count("\n## ") == 4
    assert "## ✅ model.h5\n\nThe contract holds.\n" in shown
    assert "## ⚠️ model.h5\n\nThe contract is inconclusive, and so does not hold.\n" in shown
    assert "## ❌ model.h5\n\nThe contract does not hold.\n" in shown
    assert (
        "| test accuracy | \\> 95.00% | 95.20%; the interval contains the bound "
        "| 480 wrong of 10,000; 443 allowed | 94.62–95.72% at 99% | ⚠️ inconclusive |\n"
    ) in shown
    assert "it has 2 inputs |  |  | ⚠️ not measured |" in shown
    assert (
        "## ❌ bad.h5\n\nInput refused.\n\n- looked at: bad.h5\n- expected: a model\n"
        "- found: a pickle\n- what to do: don't\n"
    ) in shown


def test_the_default_contract_is_named() -> None:
    assert "Contract: the default" in verdict_markdown.document(gather([], None))


def test_every_row_has_as_many_cells_as_the_head_whatever_is_in_it() -> None:
    shown = verdict_markdown.document(check_results.hostile())
    rows = [line for line in shown.splitlines() if line.startswith("|")]
    assert len(rows) == 3
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {7}


def test_hostile_text_shows_as_text() -> None:
    shown = verdict_markdown.document(check_results.hostile())
    assert not any(character in shown for character in "\x00\x1b\ufffe")
    for special in "`<[]@$&":
        assert not re.search(rf"(?<!\\){re.escape(special)}", shown), special
    assert "https\\://x" in shown
    assert "www\\.x" in shown
    assert max(map(len, shown.splitlines())) < 7_000
    headings = [line for line in shown.splitlines() if line.startswith("#")]
    assert len(headings) == 3
