"""Old runs are deleted as a whole, beside other processes and whenever one is killed."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mnist_tasks import check_store, locks, pruning, run_models, run_store, temporary
from mnist_tasks.errors import EnvironmentProblemError
from mnist_tasks.reporting import comparison, files
from tests import examples

MEMBERS = {"run.json", "model.h5", "predictions.npz"}
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")


def fill(runs: Path, count: int, first: int = 0) -> list[Path]:
    """Write whole runs, the oldest first, and return their folders."""
    folders = []
    for number in range(first, first + count):
        minutes, seconds = divmod(number, 60)
        created = f"2026-11-22T12:{minutes:02}:{seconds:02}+00:00"
        record = replace(examples.run(), id=f"run-{number:04}", created=created)
        folder = examples.write(record, runs).parent
        for name in MEMBERS - {"run.json"}:
            (folder / name).write_bytes(b"x" * 1000)
        folders.append(folder)
    return folders


def whole(runs: Path) -> set[str]:
    """Return the names of the runs in a folder, each of which has all of its files."""
    folders = [path for path in runs.iterdir() if not path.name.startswith(".")]
    assert all({file.name for file in folder.iterdir()} == MEMBERS for folder in folders)
    return {folder.name for folder in folders}


def test_two_at_once_both_succeed(tmp_path: Path) -> None:
    fill(tmp_path / "runs", 300)
    command = [sys.executable, "-m", "mnist_tasks", "runs", "prune", "--keep", "20", "--yes"]
    both = [
        subprocess.Popen([*command, "--json"], cwd=tmp_path, stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    outputs = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    documents = [json.loads(output) for output in outputs]
    deleted = [each for found in documents for each in found.get("result", found)["deleted"]]
    assert sorted(deleted) == [f"run-{number:04}" for number in range(280)]
    assert whole(tmp_path / "runs") == {f"run-{number:04}" for number in range(280, 300)}
    assert not list((tmp_path / "runs").glob(f"{temporary.PREFIX}*"))


def test_a_sweep_that_is_under_way_is_not_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = fill(tmp_path, 3)
    monkeypatch.setattr(pruning, "_LOCK_TIMEOUT", 0.1)
    waited: list[str] = []
    with locks.locked(tmp_path, timeout=0):  # as `sweeping.sweep` does
        with pytest.raises(EnvironmentProblemError, match="has locked the folder"):
            pruning.delete(folders, tmp_path, on_wait=waited.append)
        assert len(whole(tmp_path)) == 3
    assert waited
    assert pruning.delete(folders, tmp_path) == folders
    assert whole(tmp_path) == set()


@needs_fork
def test_wherever_it_is_killed_every_run_is_whole(tmp_path: Path) -> None:
    """Killed before the first change of the disk, before the second, and so on, until it ends."""
    for steps in itertools.count():
        folders = fill(tmp_path, 2)
        if (child := os.fork()) == 0:
            kill_after(steps)
            try:
                pruning.delete(folders, tmp_path)
            finally:
                os._exit(0)
        _, status = os.waitpid(child, 0)
        stored = run_store.list_runs(tmp_path)
        assert stored.skipped == ()
        assert {run.id for run in stored.runs} == whole(tmp_path)
        if not os.WIFSIGNALED(status):
            break
    assert steps > 8  # two runs of three files each
    assert whole(tmp_path) == set()
    pruning.delete([], tmp_path)
    assert not list(tmp_path.glob(f"{temporary.PREFIX}*"))


def kill_after(steps: int) -> None:
    """End this process as SIGKILL does, once it has changed the disk so many times."""
    left = itertools.count(steps, -1)

    def counted(change: Callable[..., None]) -> Callable[..., None]:
        def do(*arguments: object, **options: object) -> None:
            if not next(left):
                os.kill(os.getpid(), signal.SIGKILL)
            change(*arguments, **options)

        return do

    for name in ("rename", "unlink", "rmdir"):
        setattr(os, name, counted(getattr(os, name)))


@needs_fork
def test_a_reader_sees_each_run_whole_or_not_at_all(tmp_path: Path) -> None:
    folders = fill(tmp_path, 200)
    if (child := os.fork()) == 0:
        try:
            for start in range(0, 200, 5):
                pruning.delete(folders[start : start + 5], tmp_path)
        finally:
            os._exit(0)
    sizes = []
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        stored = run_store.list_runs(tmp_path)
        assert stored.skipped == ()
        sizes.append(len(stored.runs))
    assert whole(tmp_path) == set()
    assert sizes == sorted(sizes, reverse=True)


def test_a_check_does_not_bring_back_a_run_that_was_deleted(tmp_path: Path) -> None:
    (folder,) = fill(tmp_path, 1)
    stored = run_store.list_runs(tmp_path)
    pruning.delete([folder], tmp_path)
    check = examples.check()
    probabilities = np.full((3, 10), 0.1, np.float32)
    check_store.attach(check, tmp_path, probabilities, stored=stored)
    assert not folder.exists()
    saved = check_store.newest(tmp_path)
    assert saved is not None
    assert saved.model == check.model


def test_a_report_does_not_bring_back_a_run_that_was_deleted(tmp_path: Path) -> None:
    (folder,) = fill(tmp_path, 1)
    shown = comparison.view((), tmp_path)
    pruning.delete([folder], tmp_path)
    with pytest.raises(EnvironmentProblemError):
        files.write_report(shown, files.ReportFiles(html=files.default_page(shown, tmp_path)))
    assert not folder.exists()


def test_a_training_that_is_under_way_is_not_touched(tmp_path: Path) -> None:
    folders = fill(tmp_path, 2)
    with run_models.new_folder(tmp_path) as folder:
        (folder / "model.h5").write_bytes(b"new")
        pruning.delete(folders, tmp_path)
        model = replace(examples.MODEL, path=str(tmp_path / "latest.h5"))
        run_models.publish(replace(examples.run(), id="new", model=model), folder)
    assert (tmp_path / "new" / "model.h5").read_bytes() == b"new"
    assert (tmp_path / "latest.h5").read_bytes() == b"new"


@pytest.mark.skipif(sys.platform == "win32", reason="links need a permission there")
def test_a_link_to_a_folder_elsewhere_is_not_deleted(tmp_path: Path) -> None:
    (folder,) = fill(tmp_path / "elsewhere", 1)
    (tmp_path / "runs").mkdir()
    link = tmp_path / "runs" / folder.name
    link.symlink_to(folder)
    before = fill(tmp_path / "runs", 1)
    with pytest.raises(EnvironmentProblemError, match="a symbolic link"):
        pruning.delete([*before, link], tmp_path / "runs")
    assert link.is_symlink()
    assert before[0].is_dir()  # nothing was deleted
    assert whole(tmp_path / "elsewhere") == {folder.name}
