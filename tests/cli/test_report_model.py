"""Reports on the check of a model that no run made, in real processes."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mnist_tasks import check_store, run_store
from mnist_tasks.check_records import Check, ModelFile
from mnist_tasks.checking import metrics
from mnist_tasks.data import store
from tests import examples, runs
from tests.json_output import result_of
from tests.reporting.pages import Page

Run = subprocess.CompletedProcess[str]
CONTENT = b"a model of her own"


@pytest.fixture
def checked(tmp_path: Path, small_mnist: Path) -> Check:
    """The check of ``her.h5``, which is saved."""
    (tmp_path / "her.h5").write_bytes(CONTENT)
    labels = store.load(small_mnist, "test").labels
    found = runs.probabilities(labels, seed=0)
    model = ModelFile(
        path="her.h5",
        bytes=len(CONTENT),
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        parameters=21_586,
    )
    measured = metrics.compute(found, labels)
    check = replace(examples.check(passed=False), model=model, metrics=measured)
    check_store.attach(check, tmp_path / "runs", found)
    return check


def test_a_checked_model_has_a_page(
    small_cli: Callable[..., Run], checked: Check, tmp_path: Path
) -> None:
    done = small_cli("report", "her.h5", "--markdown", "report.md", "--csv", "csv")
    assert done.returncode == 0, done.stderr
    assert "The contract did not pass: her.h5" in done.stdout
    assert "Training" not in done.stdout
    (path,) = (tmp_path / "runs" / "checks").glob("*/report.html")
    page = Page(path.read_text(encoding="utf-8"))
    assert {"verdict", "classes", "errors", "calibration", "network"} <= page.texts.keys()
    assert not {"training", "time", "reproduce", "runs"} & page.texts.keys()
    assert "The model her.h5 classified" in page.texts["top"]
    assert "dense" in page.texts["network"]
    assert {link["href"] for link in page.all("a")} <= {f"#{name}" for name in page.texts}
    images = page.all("i")
    assert len(images) > 10  # wrong ones and uncertain ones
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "test accuracy" in text
    assert "To reproduce" not in text
    assert (tmp_path / "csv" / "confusion.csv").is_file()
    document = result_of(small_cli("report", "her.h5", "--no-html", "--json"))
    assert document["run"] is None
    assert document["check"]["model"]["path"] == "her.h5"


def test_a_checked_model_is_compared_with_a_run(
    small_cli: Callable[..., Run], checked: Check, tmp_path: Path, small_mnist: Path
) -> None:
    record = runs.save(tmp_path / "runs", small_mnist, 1)
    done = small_cli("report", record.id, "her.h5", "--html", "both.html")
    assert done.returncode == 0, done.stderr
    assert "B compared with A, by" in done.stdout
    assert "regressed" in (tmp_path / "both.html").read_text(encoding="utf-8")


def test_a_model_that_changed_since_its_check_has_no_report(
    cli: Callable[..., Run], checked: Check, tmp_path: Path
) -> None:
    (tmp_path / "her.h5").write_bytes(b"trained further")
    done = cli("report", "her.h5")
    assert done.returncode == 3
    assert "Run `mnist-tasks check her.h5`, then repeat this command." in done.stderr


def flat(text: str) -> str:
    """Return the text of panels of any width as one line."""
    return " ".join(text.replace("│", "").split())


def test_without_runs_a_report_says_what_to_type(
    cli: Callable[..., Run], checked: Check, tmp_path: Path
) -> None:
    done = cli("report")
    assert done.returncode == 3
    assert "Run `mnist-tasks report her.h5`." in flat(done.stderr)
    (tmp_path / "nothing").mkdir()
    done = cli("report", "--runs", "nothing")
    assert "`mnist-tasks report MODEL`" in flat(done.stderr)


def test_nothing_is_advised_about_the_files_of_others(
    cli: Callable[..., Run], tmp_path: Path
) -> None:
    (tmp_path / "her.json").write_text("{}")
    done = cli("report", "her.json")
    assert done.returncode == 3
    assert "elete" not in done.stderr


def test_a_report_says_that_the_latest_model_is_another(
    cli: Callable[..., Run], tmp_path: Path
) -> None:
    record = examples.run(checked=examples.check())
    run_store.save(record, tmp_path / "runs")
    assert "no longer" not in cli("report", "--no-html").stdout
    (tmp_path / "model_latest.h5").write_bytes(CONTENT)
    done = cli("report", "--markdown", "report.md")
    said = f"model_latest.h5 is no longer the model of this run, which is runs/{record.id}/model.h5"
    assert said in flat(done.stdout)
    assert said in (tmp_path / "runs" / record.id / "report.html").read_text(encoding="utf-8")
    assert "is no longer the model" in (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "no longer" not in cli("report", record.id, "--no-html").stdout


def test_checks_are_pruned_like_runs(
    cli: Callable[..., Run], checked: Check, tmp_path: Path
) -> None:
    other = replace(checked, model=replace(checked.model, sha256="0" * 64), created="2026-11-23")
    check_store.attach(other, tmp_path / "runs")
    (tmp_path / "runs" / "checks" / "hers").mkdir()
    assert "Runs: 0 of 0, 0.0 MB" in cli("runs").stdout
    asked = cli("runs", "prune", "--keep", "1")
    assert asked.returncode == 2, asked.stdout  # there is no terminal to ask on
    assert len(list((tmp_path / "runs" / "checks").iterdir())) == 3
    done = cli("runs", "prune", "--keep", "1", "--yes", "--json")
    assert result_of(done) == {"deleted": [], "deleted_checks": 1}
    left = sorted(path.name for path in (tmp_path / "runs" / "checks").iterdir())
    assert left == ["0" * 16, "hers"]
