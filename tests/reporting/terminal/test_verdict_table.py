"""The table of a verdict in the terminal."""

from dataclasses import replace

import pytest

from mnist_tasks.reporting.terminal import results
from tests import check_results, examples
from tests.reporting.terminal.test_results import show


def of(name: str, width: int = 120) -> str:
    found = next(each for each in check_results.every_kind().checks if each.status == name)
    assert found.check is not None
    return show(results.verdict(found.check), width=width)


def test_a_clause_shows_its_errors_and_its_interval() -> None:
    shown = of("inconclusive")
    assert "480 wrong of 10,000; 443 allowed" in shown
    assert "94.62–95.72% at 99%" in shown
    assert "could be slightly better or worse" in shown
    assert "The contract is inconclusive: model.h5" in shown


def test_a_clause_that_was_not_measured_says_so() -> None:
    shown = of("failed")
    assert "it has 2 inputs" in shown
    assert shown.count("not measured") == 1
    assert "The contract did not pass: model.h5" in shown


@pytest.mark.parametrize("width", [80, 40])
def test_nothing_is_cut_in_a_narrow_terminal(width: int) -> None:
    shown = of("failed", width)
    assert max(map(len, shown.splitlines())) <= width
    assert "…" not in shown


def test_hostile_text_shows_as_text() -> None:
    found = check_results.hostile().checks[0].check
    assert found is not None
    shown = show(results.verdict(found), width=100)
    assert "\x1b" not in shown
    assert "\x00" not in shown
    assert "[red]" in shown


def test_the_title_names_the_contract() -> None:
    assert "Contract: the default contract " in show(results.verdict(examples.check()))
    check = replace(examples.check(), contract="a/[red]/pyproject.toml\x1b[31m")
    assert "Contract: a/[red]/pyproject.toml?[31m" in show(results.verdict(check))
