"""Whatever can't be written is named with its size, and the old file stays."""

from __future__ import annotations

import re
import sys
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mnist_tasks import check_store, predictions, run_store, starter
from mnist_tasks.data import datasets, fetching, lock_table, project_table
from mnist_tasks.data.local import Local
from mnist_tasks.errors import EnvironmentProblemError
from mnist_tasks.reporting import files
from mnist_tasks.reporting.files import ReportFiles
from tests import check_results, examples, limited
from tests.data.test_lock_table import TABLE, lock
from tests.data.test_sources import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mnist_tasks.reporting.run_view import RunView

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
OLD = b"name,bound,found,status\n"  # of a table, which alone a table replaces


def refuse(write: Callable[[], object], target: Path) -> None:
    """Let a function write a file of which there is an old one, with room for a part of it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(OLD)
    before = {path for path in target.parent.iterdir() if path.name != ".lock"}
    with limited.file_size(20), pytest.raises(EnvironmentProblemError) as caught:
        write()
    assert re.fullmatch(r"File too large \([\d,]+ bytes needed\)", caught.value.found)
    assert caught.value.subject == str(target)
    assert target.read_bytes() == OLD
    assert {path for path in target.parent.iterdir() if path.name != ".lock"} == before


@pytest.mark.parametrize(("option", "name"), [("junit", "a.xml"), ("markdown", "a.md")])
def test_the_files_of_a_check(option: str, name: str, tmp_path: Path) -> None:
    found = check_results.every_kind()
    refuse(partial(files.write_check, found, **{option: tmp_path / name}), tmp_path / name)


def test_the_summary_of_a_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    summary = tmp_path / "summary.md"
    summary.write_bytes(b"# Others")
    monkeypatch.setenv(files.SUMMARY, str(summary))
    write = partial(files.write_check, check_results.every_kind(), markdown=summary)
    with limited.file_size(100), pytest.raises(EnvironmentProblemError) as caught:
        write()
    assert re.fullmatch(r"File too large \([\d,]+ bytes needed\)", caught.value.found)
    assert caught.value.subject == str(summary)
    assert summary.read_bytes() == b"# Others"
    write()
    assert summary.read_bytes().startswith(b"# Others\n# mnist-tasks check\n")


@pytest.mark.parametrize(
    ("option", "name", "written"),
    [("html", "a.html", "a.html"), ("markdown", "a.md", "a.md"), ("csv", "csv", "csv/clauses.csv")],
)
def test_the_files_of_a_report(
    option: str, name: str, written: str, view: RunView, tmp_path: Path
) -> None:
    (tmp_path / "csv").mkdir()
    wanted = ReportFiles(**{option: tmp_path / name})
    refuse(partial(files.write_report, view, wanted), tmp_path / written)


def test_records_and_predictions(tmp_path: Path) -> None:
    record = examples.run()
    folder = tmp_path / record.id
    refuse(partial(run_store.save, record, tmp_path), folder / "run.json")
    found = np.zeros((10, 10), np.float32)
    refuse(partial(predictions.save, found, folder), folder / "predictions.npz")


def test_a_check_alone_says_so_and_goes_on(tmp_path: Path) -> None:
    said: list[str] = []
    with limited.file_size(20):
        check_store.attach(examples.check(), tmp_path, on_skipped=said.append)
    assert len(said) == 2  # about the check, and about its line in the ledger
    assert all("File too large" in each for each in said)


def test_the_lock_of_a_data_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "pyproject.toml"
    file.write_text(TABLE)
    own = project_table.find("parts")
    assert own is not None
    with limited.file_size(20), pytest.raises(EnvironmentProblemError, match="File too large"):
        lock_table.write(own, lock())
    assert file.read_text() == TABLE
    assert list(tmp_path.iterdir()) == [file]


def test_a_new_project(tmp_path: Path) -> None:
    with limited.file_size(20), pytest.raises(EnvironmentProblemError, match="bytes needed"):
        starter.create(tmp_path)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_the_cache(small_mnist: Path, tmp_path: Path) -> None:
    """Before anything is downloaded."""
    cache = tmp_path / "cache"
    needed = sum(file.bytes for file in datasets.default().files)
    with limited.file_size(20), pytest.raises(EnvironmentProblemError) as caught:
        fetching.fetch(cache, [Local(small_mnist)], progress=Recorder())
    assert caught.value.subject == str(cache)
    assert caught.value.found == f"File too large ({needed:,} bytes needed)"
    assert {path.name for path in cache.iterdir()} <= {".lock"}
