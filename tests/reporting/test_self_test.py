"""The self-test of a contract in the terminal, JUnit and Markdown."""

import io
from dataclasses import replace
from xml.etree import ElementTree as ET

from rich.console import Console

from mnist_tasks.checking.results import (
    CheckResults,
    PlantedModel,
    SelfTest,
    gather,
    with_self_test,
)
from mnist_tasks.reporting import junit, markdown, self_test_text
from mnist_tasks.reporting.terminal import results as tables
from mnist_tasks.reporting.terminal import self_test
from tests import check_results

SMALL = PlantedModel(
    fault="weights noised, 1 point",
    status="let through",
    accuracy=0.982,
    note="accuracy_above = 0.9820 would fail it",
)
CAUGHT = PlantedModel(
    fault="labels shuffled", status="failed", accuracy=0.1, clauses=("test accuracy", "baseline")
)
SAME = PlantedModel(fault="pixels inverted", status="not planted", accuracy=0.99, note="no worse")
PASSED = SelfTest(
    passed=True,
    accuracy=0.992,
    images=10_000,
    models=(SMALL, CAUGHT, SAME),
    untested=("parameters",),
    idle=("calibration error",),
)
MISSED = replace(
    PASSED,
    passed=False,
    models=(SMALL, replace(CAUGHT, status="missed", clauses=(), note="nothing [red]would")),
)


def results(found: SelfTest) -> CheckResults:
    return gather([with_self_test(check_results.of(check_results.FINE), found)], None)


def test_the_exit_code_is_1_if_a_model_is_missed() -> None:
    assert results(PASSED).exit_code == 0
    assert results(MISSED).exit_code == 1
    assert results(MISSED).checks[0].status == "passed"  # of the model itself


def test_the_conclusion_counts_models_and_says_what_is_not_shown() -> None:
    first, *others = self_test_text.conclusions(PASSED)
    assert first == "The contract fails 1 of 2 worse models, and allows the losses of the others"
    assert others[1:] == [
        "Clauses that failed no planted model: calibration error",
        "Not tested, since planted models share the sound model's structure: parameters",
    ]
    assert "false-alarms" in others[0]
    (missed, *_) = self_test_text.conclusions(MISSED)
    assert missed == "The contract misses models that it must fail: labels shuffled"
    strict = replace(PASSED, models=(CAUGHT,), idle=(), untested=())
    assert self_test_text.conclusions(strict) == ("The contract fails 1 of 1 worse models",)


def test_the_terminal_shows_each_model_with_what_failed_it_or_would() -> None:
    stream = io.StringIO()
    Console(file=stream, width=80).print(self_test.self_tested(MISSED, "a[b].h5"))
    text = " ".join(stream.getvalue().split())
    assert "Self-test: a[b].h5, made worse" in text
    assert "98.20% let through accuracy_above = 0.9820 would fail it" in text
    assert "10.00% missed nothing [red]would" in text


def test_the_summary_of_several_models_says_which_self_test_did_not_pass() -> None:
    stream = io.StringIO()
    Console(file=stream, width=200).print(tables.summary(results(MISSED)))
    assert "its self-test found models that the contract misses" in stream.getvalue()


def test_junit_has_a_case_for_each_planted_model_and_a_failure_for_a_missed_one() -> None:
    (suite,) = ET.fromstring(junit.document(results(MISSED)))  # noqa: S314 - our own
    cases = [case for case in suite.iter("testcase") if "self-test" in case.get("name", "")]
    assert [case.get("name") for case in cases] == [
        "self-test: weights noised, 1 point",
        "self-test: labels shuffled",
    ]
    assert [case.find("failure") is None for case in cases] == [True, False]
    assert (suite.get("tests"), suite.get("failures")) == ("3", "1")
    (failure,) = suite.iter("failure")
    assert failure.get("type") == "missed"
    assert "10.00%" in (failure.text or "")


def test_markdown_has_the_table_and_the_conclusions() -> None:
    text = markdown.check(results(PASSED))
    assert "| labels shuffled | 10.00% | failed | test accuracy, baseline |" in text
    assert "fails 1 of 2 worse models" in text
    assert "Self-test" not in markdown.check(gather([check_results.of()], None))
