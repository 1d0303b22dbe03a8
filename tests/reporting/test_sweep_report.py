"""The report of a sweep: its words, its page, Markdown, tables and document."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from mnist_tasks import run_store
from mnist_tasks.errors import InputRefusedError, UsageError
from mnist_tasks.reporting import comparison, export_tables, files, html, markdown
from mnist_tasks.reporting.comparison import Comparison
from mnist_tasks.reporting.sweep_view import SweepView
from mnist_tasks.reporting.terminal import runs as run_tables
from mnist_tasks.sweeping import stored_sweep
from mnist_tasks.sweeping.plan import Plan
from mnist_tasks.sweeping.search_space import Setting, grid
from mnist_tasks.sweeping.summary import SUMMARY_NAME
from tests import examples
from tests.reporting.pages import Page
from tests.reporting.terminal.test_results import show
from tests.runs import HOSTILE, with_hostile_text
from tests.sweeping import runs

if TYPE_CHECKING:
    from pathlib import Path

    from mnist_tasks.sweeping.plan import Job

PLAN = Plan(settings=grid(["default", "plain"], {"max_shift": [0, 1]}), seeds=(0, 1, 2))
BEST = "default max_shift=1"


def correct(job: Job) -> int:
    """Return how many of 1,000 images a run classifies correctly."""
    places = {BEST: 980, "default max_shift=0": 979, "plain max_shift=1": 900}
    return places.get(job.setting.name, 850) + job.config.seed


def failing(job: Job) -> bool:
    return job.setting.recipe == "plain" and job.config.seed == 2


@pytest.fixture
def view(tmp_path: Path) -> SweepView:
    """Three runs of two settings, and two of two others, one run of which failed."""
    runs.save(PLAN, tmp_path / "s", correct=correct, fails=failing)
    return swept(tmp_path / "s")


def swept(folder: Path) -> SweepView:
    found = comparison.view([str(folder)], folder.parent / "runs")
    assert isinstance(found, SweepView)
    return found


def one(tmp_path: Path, *settings: Setting, seeds: tuple[int, ...] = (0, 1)) -> SweepView:
    plan = Plan(settings=settings or (Setting(),), seeds=seeds, evaluated_on="test")
    runs.save(plan, tmp_path / "one", correct=correct)
    return swept(tmp_path / "one")


def test_the_page_has_the_ranking_with_means_and_intervals(view: SweepView) -> None:
    text = html.page(view)
    page = Page(text)
    assert '95% interval <span class="number">97.85–98.35%</span>' in text
    assert view.headline == f"{BEST} ranks first."
    rows = " ".join(page.texts["ranking"].split())
    assert f"1 {BEST} 3 98.10 ± 0.10% 97.85–98.35% 98.00% 0.1000 21,586 4.0 s" in rows
    assert "4 plain max_shift=0 2 85.05 ± 0.07%" in rows
    assert "the last 1,000 training images, which no run was trained on" in page.texts["ranking"]
    assert view.lead.startswith("4 settings, 3 seeds, 10 runs: trained on ")
    assert [each.value for each in view.key_figures] == ["98.10%", "4", "10", "4.0 s"]
    assert view.key_figures[2].note == "of 12 runs; 2 failed"
    assert page.texts["failed"].count("it failed") == 2
    assert "plain max_shift=1" in page.texts["failed"]
    assert "mnist-tasks train" in page.texts["reproduce"]
    assert "SHA" not in page.texts["reproduce"]
    assert [
        each["href"] for each in page.all("a") if not (each["href"] or "").startswith("#")
    ] == []
    assert page.all("script") == []
    assert len([each for each in page.all("figure") if each["class"] == "chart"]) == 3


def test_it_says_what_the_ranking_does_not_show(view: SweepView) -> None:
    assert "overlaps that of default max_shift=0: the sweep does not show" in view.caution
    assert "`mnist-tasks sweep --test`" in view.caution
    assert "<code>mnist-tasks sweep --test</code>" in html.page(view)


@pytest.mark.parametrize(
    ("settings", "seeds", "caution"),
    [
        ((Setting(),), (0, 1), ""),
        ((Setting(), Setting(recipe="plain")), (0,), "may be first by chance"),
        (PLAN.settings[:1] + PLAN.settings[2:], (0, 1, 2), "overlaps that of no other"),
    ],
)
def test_overlaps_are_counted(
    tmp_path: Path, settings: tuple[Setting, ...], seeds: tuple[int, ...], caution: str
) -> None:
    shown = one(tmp_path, *settings, seeds=seeds)
    assert caution in shown.caution
    assert bool(shown.caution) == bool(caution)


def test_a_sweep_of_one_setting_is_headed_by_its_accuracy(tmp_path: Path) -> None:
    shown = one(tmp_path)
    assert shown.headline == "85.05 ± 0.07% over 2 seeds."
    page = Page(html.page(shown))
    assert "the 1,000 test images" in page.texts["ranking"]
    assert "failed" not in page.texts
    assert len([each for each in page.all("figure") if each["class"] == "chart"]) == 3


def test_every_table_has_the_numbers(view: SweepView, tmp_path: Path) -> None:
    found = export_tables.of_report(view)
    assert [row["place"] for row in found["ranking"]] == [1, 2, 3, 4]
    first = found["ranking"][0]
    assert first["accuracy_mean"] == pytest.approx(0.981)
    assert first["set_max_shift"] == 1
    assert len(found["runs"]) == len(found["epochs"]) == 10
    assert {row["images"] for row in found["runs"]} == {1000}
    assert [row["seed"] for row in found["failed"]] == [2, 2]
    assert {row["place"] for row in found["curves"]} == {1, 2, 3, 4}
    for _ in range(2):  # a report replaces its tables
        files.write_report(view, files.ReportFiles(csv=tmp_path / "csv"))
    assert {path.stem for path in (tmp_path / "csv").iterdir()} == set(found)


def test_markdown_and_terminal_have_the_ranking_too(view: SweepView) -> None:
    text = markdown.report(view)
    assert text.startswith("## default max\\_shift=1 ranks first")
    assert "| 98.10 ± 0.10% | 97.85–98.35% |" in text
    assert "### Failed" in text
    shown = show(run_tables.report(view))
    assert "1 default max_shift=1    3 98.10 ± 0.10%" in shown
    assert "failed: plain max_shift=0, seed 2: it failed" in shown
    assert "10 of 12 runs done" in shown


def test_the_document_and_the_default_page_are_those_of_the_folder(
    view: SweepView, tmp_path: Path
) -> None:
    assert files.default_page(view, tmp_path / "runs") == tmp_path / "s" / "report.html"
    files.write_report(view, files.ReportFiles(html=files.default_page(view, tmp_path)))
    document = files.report_document(view, files.ReportFiles())
    assert document.sweep == str(tmp_path / "s")
    assert document.run is None
    assert document.compared == ()
    inputs = files.inputs(view, ())
    assert tmp_path / "s" / SUMMARY_NAME in inputs
    assert len(inputs) == 21  # and a record and a model of each run
    assert swept(tmp_path / "s").sweep.records == view.sweep.records  # the page is no run
    assert not comparison.passed(view)


def test_an_unfinished_sweep_has_no_number_of_planned_runs(view: SweepView, tmp_path: Path) -> None:
    (tmp_path / "s" / SUMMARY_NAME).unlink()
    shown = swept(tmp_path / "s")
    assert shown.sweep.planned is None
    assert shown.key_figures[2].note == "of a sweep that is not finished"
    assert "not finished" in show(run_tables.report(shown))


def test_a_run_that_succeeded_later_has_not_failed(view: SweepView, tmp_path: Path) -> None:
    job = next(job for job in PLAN.jobs(tmp_path / "s") if failing(job))
    run_store.save(runs.record(job), tmp_path / "s")
    assert len(swept(tmp_path / "s").sweep.failed) == 1


def test_a_sweep_whose_runs_all_failed_has_a_page(tmp_path: Path) -> None:
    runs.save(PLAN, tmp_path / "s", fails=lambda _: True)
    shown = swept(tmp_path / "s")
    assert shown.headline == "No run succeeded."
    page = Page(html.page(shown))
    assert page.texts["failed"].count("it failed") == 12
    assert "ranking" not in page.texts
    assert "it failed" in show(run_tables.report(shown))
    assert markdown.report(shown)
    assert export_tables.of_report(shown)["ranking"] == []


def test_a_sweep_passes_only_if_each_of_its_runs_is_done_and_passed(tmp_path: Path) -> None:
    shown = one(tmp_path)
    assert not comparison.passed(shown)  # no run is checked
    checked = tuple(replace(each, check=examples.check()) for each in shown.sweep.records)
    passed = replace(shown, sweep=replace(shown.sweep, records=checked))
    assert comparison.passed(passed)
    for change in ({"planned": 3}, {"planned": None}, {"records": checked[1:]}, {"skipped": ("",)}):
        assert not comparison.passed(replace(passed, sweep=replace(passed.sweep, **change)))
    runs.save(PLAN, tmp_path / "s", fails=lambda _: True)
    assert not comparison.passed(swept(tmp_path / "s"))


def test_runs_that_failed_are_missing_beside_those_of_another_plan(tmp_path: Path) -> None:
    runs.save(replace(PLAN, seeds=(3, 4, 5)), tmp_path / "s")
    runs.save(PLAN, tmp_path / "s", fails=failing)
    found = swept(tmp_path / "s").sweep
    assert (len(found.records), len(found.failed)) == (22, 2)
    assert (found.planned, found.missing) == (24, 2)


def test_records_that_cannot_be_read_are_named(view: SweepView, tmp_path: Path) -> None:
    (tmp_path / "s" / view.sweep.records[0].id / "run.json").write_bytes(b"{")
    shown = swept(tmp_path / "s")
    assert len(shown.sweep.records) == 9
    assert "run.json" in Page(html.page(shown)).texts["failed"]
    many = replace(shown, sweep=replace(shown.sweep, skipped=shown.sweep.skipped * 150))
    text = Page(html.page(many)).texts["failed"]
    assert text.count("run.json") == html.MOST_SETTINGS
    assert "The first 100 of 150 that were skipped." in text


def test_runs_of_several_sweeps_are_refused(view: SweepView, tmp_path: Path) -> None:
    runs.save(replace(PLAN, evaluated_on="test"), tmp_path / "s")
    with pytest.raises(InputRefusedError, match="runs evaluated on validation images and"):
        swept(tmp_path / "s")


def test_a_sweep_is_reported_alone(view: SweepView, tmp_path: Path) -> None:
    run_store.save(examples.run(), tmp_path / "runs")
    with pytest.raises(UsageError, match="a sweep") as caught:
        comparison.view([str(tmp_path / "s"), "latest"], tmp_path / "runs")
    assert caught.value.expected == "runs to compare, or the folder of a single sweep"


def test_a_run_of_a_sweep_and_a_folder_of_other_runs_are_no_sweep(
    view: SweepView, tmp_path: Path
) -> None:
    run = tmp_path / "s" / view.sweep.records[0].id
    assert not isinstance(comparison.view([str(run)], tmp_path / "runs"), SweepView)
    assert isinstance(comparison.view([str(run)] * 2, tmp_path / "runs"), Comparison)
    run_store.save(examples.run(), tmp_path / "runs")
    assert stored_sweep.find(tmp_path / "runs") is None
    with pytest.raises(InputRefusedError, match="no such run"):
        comparison.view([str(tmp_path / "runs")], tmp_path / "runs")


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    (job, *_) = PLAN.jobs(tmp_path / "s")
    record = runs.record(job)
    assert record.trial is not None
    trial = replace(record.trial, settings={HOSTILE: 1.0})
    hostile = replace(with_hostile_text(record), id=job.id, trial=trial)
    run_store.save(hostile, tmp_path / "s")
    shown = swept(tmp_path / "s")
    text = html.page(shown)
    assert "<script>alert(1)" not in text
    assert "\x1b" not in text
    assert Page(text).all("script") == []
    found = export_tables.of_report(shown)
    assert "\x1b" not in "".join(map(export_tables.to_csv, filter(None, found.values())))
    assert "\x1b" not in show(run_tables.report(shown))
    assert "@bob" not in markdown.report(shown)
