"""The tables that the commands print."""

from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console, RenderableType

from mnist_tasks.check_records import Check, Metrics, Protection
from mnist_tasks.checking.results import gather, of_check, of_error
from mnist_tasks.data import datasets
from mnist_tasks.data.fetching import Fetched, FetchedFile
from mnist_tasks.dataset_info import MNIST
from mnist_tasks.errors import EnvironmentProblemError, InputRefusedError
from mnist_tasks.records import RunRecord
from mnist_tasks.reporting.terminal import results, tables
from mnist_tasks.reporting.terminal import runs as run_tables
from mnist_tasks.sweeping.plan import Plan
from mnist_tasks.verdict import Verdict
from mnist_tasks.vetting.inspection import VettedFile
from tests import examples
from tests.sweeping import runs

FETCHED = Fetched(
    folder="/cache",
    files=tuple(
        FetchedFile(name=file.name, bytes=file.bytes, sha256=file.sha256, source="npm")
        for file in datasets.default().files
    ),
    failures=("http://x/: timed out",),
)


def show(view: RenderableType, width: int = 80, *, terminal: bool = False) -> str:
    console = Console(width=width, force_terminal=terminal, legacy_windows=False)
    with console.capture() as captured:
        console.print(view)
    return captured.get()


def test_fetched_files_are_listed_with_size_hash_and_source() -> None:
    shown = show(results.fetched(FETCHED))
    assert "47,040,016" in shown
    assert shown.count("npm") == 4
    assert "ba891046e6505d7a…" in shown
    assert "failed before: http://x/: timed out" in shown


def test_a_vetted_file_has_its_whole_hash_on_one_line() -> None:
    file = VettedFile(
        sha256=64 * "8",
        bytes=10**9,
        format="keras",
        layers=("Dense",),
        parameters=10**9,
        protections=(Protection(name="no-network", status="off", detail="unsupported"),),
        keras_opens_name=False,
    )
    assert 64 * "8" in show(results.vetted("model.h5", file), width=80)


def test_a_run_shows_its_training_its_verdict_and_every_digit() -> None:
    shown = show(run_tables.run(examples.run(checked=examples.check())), width=100)
    assert "default, seed 0" in shown
    assert "15,000 images/s on CPU, 2 threads" in shown
    assert "The contract passed: model_latest.h5" in shown
    assert "accuracy 90.00%" in shown
    assert "10 wrong" in shown
    assert "0 predicted as 1 (1×)" in shown
    digits = [line.split() for line in shown.splitlines() if line.strip()[:1].isdigit()]
    assert [line[0] for line in digits if "90.00%" in line] == list("0123456789")


def test_a_failed_clause_fails_the_contract() -> None:
    shown = show(results.checked(examples.check(passed=False)))
    assert "failed" in shown
    assert "The contract did not pass: model_latest.h5" in shown
    assert "21,586 in total, 21,400 trainable, 186 non-trainable" in shown


def test_the_parts_of_the_parameters_add_up() -> None:
    shown = show(results.checked(replace(examples.check(), trainable_parameters=21_000)))
    assert "21,586 in total, 21,000 trainable, 186 non-trainable, 400 other" in shown


def test_an_unchecked_run_says_what_to_do() -> None:
    run = examples.run()
    assert "run `mnist-tasks check model_latest.h5`" in show(run_tables.run(run))
    elsewhere = replace(run, model=replace(run.model, path="my models/a.h5"))
    assert "run `mnist-tasks check 'my models/a.h5'`" in show(run_tables.run(elsewhere))


def listed(*records: RunRecord) -> RenderableType:
    stored = examples.stored(*records)
    return run_tables.listed(stored.runs, stored)


def test_a_listing_says_which_accuracies_are_on_validation_images() -> None:
    job, *_ = Plan(seeds=(0,)).jobs(Path())
    checked = replace(runs.record(job, 900), check=examples.check())
    shown = show(listed(runs.record(job, 900), checked))
    assert "val 90.00%" in shown
    assert shown.count("val ") == 1


def test_past_runs_are_listed_newest_first() -> None:
    records = (examples.run(0, checked=examples.check(passed=False)), examples.run(1))
    shown = show(run_tables.newest(examples.stored(*records, skipped=("x: truncated",))), width=120)
    lines = [line for line in shown.splitlines() if "20261122" in line]
    assert [line.split()[0] for line in lines] == [records[1].id, records[0].id]
    assert "unchecked" in lines[0]
    assert "failed" in lines[1]
    assert "skipped x: truncated" in shown


@pytest.mark.parametrize("width", [80, 40])
def test_nothing_is_cut_in_a_narrow_terminal(width: int) -> None:
    views = (
        results.fetched(FETCHED),
        run_tables.run(examples.run(checked=examples.check())),
        run_tables.newest(examples.stored(examples.run())),
    )
    for view in views:
        shown = show(view, width=width)
        assert max(map(len, shown.splitlines())) <= width
        for word in shown.replace("…", "", 4).split():
            assert not word.endswith("…")


def test_numbers_stay_whole_at_80_columns() -> None:
    """No number or id is folded, which `test_nothing_is_cut` would not notice."""
    record = examples.run(checked=examples.check())
    large = Metrics(confusion=((1234,) * 10,) * 10, loss=0.1)
    digits = show(run_tables.classes(large, MNIST.classes))
    rows = [line.split() for line in digits.splitlines()]
    assert sum(row[3:] == ["1234"] * 10 for row in rows) == 10
    job, *_ = Plan(seeds=(0,)).jobs(Path())
    swept = replace(runs.record(job, 900), id=record.id)
    for each in (record, swept):
        assert record.id in show(run_tables.newest(examples.stored(each)))


@pytest.mark.parametrize("name", ["[/red]", "[red]a[/red]"])
def test_a_class_with_the_name_of_a_style_shows_its_name(name: str) -> None:
    names = (name, *MNIST.classes[1:])
    assert show(run_tables.classes(examples.metrics(), names), width=100).count(name) >= 2


def test_hostile_text_shows_as_text() -> None:
    hostile = "[red]\x1b[31m\x07" + "x" * 500
    record = examples.run(checked=examples.check())
    record = replace(
        record,
        id=hostile,
        recipe={"name": hostile},
        model=replace(record.model, path=hostile),
    )
    for view in (run_tables.run(record), run_tables.newest(examples.stored(record))):
        shown = show(view, width=100)
        assert "\x1b" not in shown
        assert "\x07" not in shown
        assert "[red]" in shown.replace("\n", "").replace(" ", "")


def test_the_title_of_a_panel_is_text_and_no_markup() -> None:
    assert "a[bold]b.keras" in show(tables.panel("a[bold]b.keras", {"format": "[red]keras"}))
    assert "[red]keras" in show(tables.panel("a[bold]b.keras", {"format": "[red]keras"}))


def test_the_table_of_all_models_ends_with_the_worst() -> None:
    check = examples.check(passed=False)
    clause, failed = check.verdict.clauses
    weak = Verdict(clauses=(clause, replace(failed, status="inconclusive")))
    refused = InputRefusedError("r.h5", found="a [b]Lambda[/b]\x1b[31m")
    checks = (
        of_error("r.h5", refused),
        of_error("slow.h5", EnvironmentProblemError("slow.h5", found="it took too long")),
        of_check(_named(check, "failed.h5")),
        of_check(_named(examples.check(), "good.h5")),
        of_check(_named(replace(check, verdict=weak, metrics=None), "weak.h5")),
        of_check(_named(check, "[/also].h5")),
    )
    shown = show(results.summary(gather(checks, None)), width=100)
    lines = [" ".join(line.split()) for line in shown.splitlines() if "h5" in line]
    assert lines == [
        "good.h5 90.00% passed",
        "weak.h5 – inconclusive test accuracy",
        "failed.h5 90.00% failed test accuracy",
        "[/also].h5 90.00% failed test accuracy",
        "r.h5 – error a [b]Lambda[/b]?[31m",
        "slow.h5 – error it took too long",
    ]
    assert "6 models. Contract: the default contract" in shown


def _named(check: Check, path: str) -> Check:
    return replace(check, model=replace(check.model, path=path))
