"""``report`` and ``runs`` in real processes."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from mnist_tasks import json_text, run_store
from mnist_tasks.sweeping.plan import Plan
from mnist_tasks.sweeping.search_space import grid
from tests import examples, runs
from tests.json_output import error_of, result_of
from tests.sweeping import runs as sweep_runs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Cli = Callable[..., subprocess.CompletedProcess[str]]

# Allowance for a busy machine, beyond the figures in the README.
PATIENCE = 10.0  # a busy machine takes up to ten times as long


@pytest.fixture
def three(tmp_path: Path) -> Path:
    """A folder with two checked runs and one that was not."""
    for number, checked in enumerate([examples.check(), examples.check(passed=False), None]):
        run_store.save(examples.run(number, checked=checked), tmp_path / "runs")
    return tmp_path / "runs"


def shown(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    found: dict[str, Any] = result_of(done)
    return found


def test_a_report_writes_a_page_beside_the_record(cli: Cli, three: Path) -> None:
    done = cli("report")
    assert done.returncode == 0
    page = three / examples.run(2).id / "report.html"
    assert f"page: runs/{examples.run(2).id}/report.html" in done.stdout
    assert "\n\nRuns: 3 of 3" in done.stdout  # a line apart from the run itself
    assert "Not checked yet." in page.read_text(encoding="utf-8")


def test_a_report_writes_only_what_is_requested(cli: Cli, three: Path, tmp_path: Path) -> None:
    options = ("--no-html", "--markdown", "a/report.md", "--csv", "tables")
    done = cli("report", "20261122-120000", *options)
    assert done.returncode == 0, done.stderr
    assert "page:" not in done.stdout
    assert list(three.rglob("*.html")) == []
    assert (
        (tmp_path / "a" / "report.md").read_text(encoding="utf-8").startswith("## ✅ The contract")
    )
    assert (tmp_path / "tables" / "runs.csv").is_file()
    written = shown(cli("report", "latest", "--html", "page.html", "--json"))["written"]
    assert written == {"html": "page.html"}
    assert (tmp_path / "page.html").is_file()


def test_an_unchecked_run_names_the_file_whose_check_it_gets(cli: Cli, three: Path) -> None:
    older = replace(examples.run(2), model=examples.run(0).model)
    run_store.save(older, three)
    twin = replace(examples.run(3), model=older.model)
    run_store.save(twin, three)
    model = older.model.path
    assert f"mnist-tasks check {model}" in cli("report", twin.id).stdout
    assert f"mnist-tasks check runs/{older.id}/model.h5" in cli("report", older.id).stdout


@pytest.mark.parametrize("option", [("--html", "x.html"), ("--open",)])
def test_a_page_that_is_wanted_and_not_wanted_is_wrong_usage(
    cli: Cli, three: Path, option: tuple[str, ...]
) -> None:
    done = cli("report", "--no-html", *option, "--json")
    assert done.returncode == 2
    assert error_of(done)["found"] == f"{option[0]}, too"


def test_the_json_of_a_report_has_its_record_and_tables(cli: Cli, three: Path) -> None:
    found = shown(cli("report", "20261122-120000", "--json"))
    assert found["run"]["seed"] == 0
    assert [row["seed"] for row in found["tables"]["runs"]] == [0, 1, 2]
    assert found["tables"]["time"][1] == {"phase": "fit", "seconds": 4.0}


def test_runs_are_compared(cli: Cli, three: Path) -> None:
    done = cli("report", "20261122-120000", "20261122-120001")
    assert done.returncode == 0, done.stderr
    assert "page: runs/comparison.html" in done.stdout
    assert "Differences" in done.stdout
    found = shown(cli("report", "20261122-120000", "latest", "--json", "--no-html"))
    assert [record["seed"] for record in found["compared"]] == [0, 2]
    assert {"name": "seed", "A": "0", "B": "2"} in found["tables"]["differences"]


def test_a_sweep_has_a_report(cli: Cli, three: Path, tmp_path: Path) -> None:
    plan = Plan(settings=grid(["default"], {"max_shift": [0, 1]}), seeds=(0, 1))
    sweep_runs.save(plan, tmp_path / "sweeps" / "s", fails=lambda job: job.config.seed == 1)
    found = shown(cli("report", "sweeps/s", "--csv", "tables", "--json"))
    assert found["sweep"] == "sweeps/s"
    assert found["written"] == {"html": "sweeps/s/report.html", "csv": "tables"}
    assert [row["place"] for row in found["tables"]["ranking"]] == [1, 2]
    assert (tmp_path / "tables" / "failed.csv").is_file()
    page = (tmp_path / "sweeps" / "s" / "report.html").read_text(encoding="utf-8")
    assert "default max_shift=0 ranks first." in page
    done = cli("report", "sweeps/s", "latest")
    assert done.returncode == 2
    assert "the folder of a single sweep" in done.stderr


def test_a_report_of_an_unknown_run_is_exit_3(cli: Cli, three: Path) -> None:
    done = cli("report", "yesterday")
    assert done.returncode == 3
    assert "mnist-tasks runs" in done.stderr


def test_a_page_that_cannot_be_written_is_exit_4(cli: Cli, three: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = cli("report", "--html", "file/report.html")
    assert done.returncode == 4
    assert "--html" in done.stderr
    assert "not checked yet" in done.stdout


@pytest.mark.parametrize("words", [["runs"], ["runs", "list"]])
def test_runs_are_listed(cli: Cli, three: Path, words: list[str]) -> None:
    done = cli(*words, "--reverse")
    lines = [line for line in done.stdout.splitlines() if "20261122" in line]
    assert [line.split()[0] for line in lines] == [examples.run(n).id for n in range(3)]
    rows = shown(cli(*words, "--contract", "passed", "--json"))["runs"]
    assert [row["id"] for row in rows] == [examples.run(0).id]
    assert rows[0]["accuracy"] == 0.9


def test_a_run_is_shown(cli: Cli, three: Path) -> None:
    assert "The contract did not pass" in cli("runs", "show", "20261122-120001").stdout
    assert shown(cli("runs", "show", "latest", "--json"))["seed"] == 2
    assert cli("runs", "show", "2026", "--json").returncode == 3
    (three.parent / "hers.h5").write_text("no model")
    error = error_of(cli("runs", "show", "hers.h5", "--json"))
    assert "mnist-tasks check hers.h5" in error["remedy"]


def test_only_the_oldest_runs_are_pruned(cli: Cli, three: Path) -> None:
    (three / "notes").mkdir()
    (three / "notes" / "run.json").write_text("{}")
    (three / "comparison.html").write_text("")
    assert cli("runs", "prune", "--keep", "1").returncode == 2  # there is no terminal to ask on
    assert len(list(three.iterdir())) == 5
    done = cli("runs", "prune", "--keep", "1", "--yes", "--json")
    assert done.stderr == "skipped runs/notes/run.json: Object missing required field `id`\n"
    assert result_of(done)["deleted"] == [examples.run(0).id, examples.run(1).id]
    left = sorted(path.name for path in three.iterdir())
    assert left == [examples.run(2).id, "comparison.html", "notes"]
    assert "deleted 0 of 1 runs" in cli("runs", "prune", "--keep", "1").stdout


def test_an_invalid_record_is_named_and_the_others_are_shown(cli: Cli, three: Path) -> None:
    (three / "cut").mkdir()
    (three / "cut" / "run.json").write_text('{"id": "cut", ')
    (three / "foreign").mkdir()
    (three / "foreign" / "run.json").write_text('["\x1b[31m"]')
    for words in (["report"], ["runs"]):
        done = cli(*words)
        assert done.returncode == 0
        assert "skipped runs/cut/run.json" in done.stdout
        assert "skipped runs/foreign/run.json" in done.stdout
        assert examples.run(2).id in done.stdout
    page = (three / examples.run(2).id / "report.html").read_text(encoding="utf-8")
    assert "Skipped: runs/cut/run.json" in page


def test_hostile_text_shows_as_text_everywhere(cli: Cli, tmp_path: Path) -> None:
    record = runs.with_hostile_text(examples.run(checked=examples.check()))
    for number in (1, 2):
        named = replace(record, id=f"run-{number}", recipe={"name": f"{number}{runs.HOSTILE}"})
        run_store.save(named, tmp_path / "runs")
    for words in (
        ["report", "--markdown", "report.md", "--csv", "csv"],
        ["report", "run-1", "run-2", "--markdown", "comparison.md"],
        ["runs"],
        ["runs", "show", "run-1"],
    ):
        done = cli(*words)
        assert done.returncode == 0, done.stderr
        assert "<script>alert(1)</script>" in done.stdout.replace("\n", "")
        assert "Traceback" not in done.stderr
        for control in ("\x1b", "\u202e"):
            assert control not in done.stdout
    for path in [*tmp_path.rglob("*.html"), *tmp_path.rglob("*.md"), *tmp_path.rglob("*.csv")]:
        text = path.read_text(encoding="utf-8")
        assert "\x1b" not in text
        assert "\u202e" not in text
        if path.suffix == ".md":  # a span of code shows markup as it is
            text = re.sub("``.*``", "", text).replace("\\<", "")
        assert path.suffix == ".csv" or "<script>" not in text


@pytest.mark.slow
def test_a_report_is_quick(small_cli: Cli, small_mnist: Path, tmp_path: Path) -> None:
    """A report with everything in 3 s, the terminal's alone in 0.5 s, a thousand runs in 1 s."""
    runs.save(tmp_path / "runs", small_mnist)
    begun = time.perf_counter()
    assert small_cli("report", "--markdown", "r.md", "--csv", "csv").returncode == 0
    assert time.perf_counter() - begun < 3 * PATIENCE

    command = [sys.executable, "-m", "mnist_tasks", "--version"]
    begun = time.perf_counter()
    subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    python = time.perf_counter() - begun
    begun = time.perf_counter()
    subprocess.run(
        [*command[:3], "report", "--no-html"], cwd=tmp_path, capture_output=True, check=True
    )
    assert time.perf_counter() - begun - python < 0.5 * PATIENCE


@pytest.mark.slow
def test_a_thousand_runs_are_listed_quickly(cli: Cli, tmp_path: Path) -> None:
    record = examples.run(checked=examples.check())
    record = replace(record, curve=record.curve * 50)
    for number in range(1000):
        folder = tmp_path / "runs" / f"run-{number:04}"
        folder.mkdir(parents=True)
        content = json_text.to_json(replace(record, id=folder.name, seed=number))
        (folder / "run.json").write_bytes(content)
    for words in (["runs", "--sort", "accuracy"], ["runs", "--json"]):
        begun = time.perf_counter()
        done = cli(*words)
        assert time.perf_counter() - begun < 1 * PATIENCE
        assert done.stdout.count("run-0") == 1000
