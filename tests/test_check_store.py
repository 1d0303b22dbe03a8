"""The checks of models that no run made."""

from __future__ import annotations

import hashlib
import json
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mnist_tasks import check_store, disk, run_store
from mnist_tasks.check_records import Check
from mnist_tasks.errors import InputRefusedError
from tests import examples


def find(folder: Path, content: bytes = b"model") -> Check | None:
    (folder / "her.h5").write_bytes(content)
    record, _ = check_store.find(
        run_store.list_runs(folder / "runs"), folder / "runs", folder / "her.h5"
    )
    return record.check


def check_of(content: bytes = b"model") -> Check:
    digest = hashlib.sha256(content).hexdigest()
    return replace(examples.check(), model=replace(examples.MODEL, sha256=digest))


def test_a_check_goes_to_the_run_that_made_the_model(tmp_path: Path) -> None:
    check = check_of()
    record = replace(examples.run(), model=check.model)
    run_store.save(record, tmp_path / "runs")
    check_store.attach(check, tmp_path / "runs")
    folders = [path.name for path in (tmp_path / "runs").iterdir() if path.is_dir()]
    assert folders == [record.id]
    found, folder = check_store.find(
        run_store.list_runs(tmp_path / "runs"), tmp_path / "runs", _file(tmp_path)
    )
    assert (found.id, found.check, folder) == (record.id, check, tmp_path / "runs" / record.id)


def test_of_runs_with_the_same_bytes_that_whose_file_is_checked_gets_the_check(
    tmp_path: Path,
) -> None:
    runs = tmp_path / "runs"
    for number in range(3):
        record = replace(examples.run(number), model=check_of().model)
        own = run_store.save(record, runs).parent / "model.h5"
        own.write_bytes(b"model")
    older = runs / examples.run(1).id / "model.h5"
    check = check_of()
    check_store.attach(replace(check, model=replace(check.model, path=str(older))), runs)
    check_store.attach(check, runs)
    stored = run_store.list_runs(runs)
    checked = [run.evaluated_by == "check" for run in stored.runs]
    assert checked == [False, True, True]
    for number, path in ((1, older), (2, _file(tmp_path))):
        assert check_store.find(stored, runs, path)[0].id == examples.run(number).id


def _file(folder: Path) -> Path:
    (folder / "her.h5").write_bytes(b"model")
    return folder / "her.h5"


def test_a_check_without_a_run_is_found_by_the_content_of_the_model(tmp_path: Path) -> None:
    check_store.attach(check_of(), tmp_path / "runs")
    assert find(tmp_path) == check_of()
    assert check_store.newest(tmp_path / "runs") == check_of()
    assert run_store.read_all(tmp_path / "runs").records == ()
    with pytest.raises(InputRefusedError, match="neither"):
        find(tmp_path, b"another")


@pytest.mark.parametrize(
    "change",
    [
        {"model": {"path": "her.h5", "bytes": 1, "sha256": "0" * 64, "parameters": 1}},
        {"seconds": -1},
        {"metrics": {"confusion": [[1]], "loss": 0}},
    ],
    ids=str,
)
def test_a_check_that_is_not_valid_is_none(tmp_path: Path, change: dict[str, object]) -> None:
    check_store.attach(check_of(), tmp_path / "runs")
    (path,) = (tmp_path / "runs" / "checks").glob("*/check.json")
    path.write_text(json.dumps(json.loads(path.read_bytes()) | change))
    with pytest.raises(InputRefusedError, match="neither"):
        find(tmp_path)
    assert check_store.newest(tmp_path / "runs") is None
    assert check_store.old(tmp_path / "runs", 0) == []


def test_a_check_alone_that_cannot_be_saved_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "checks").write_text("a file")
    said: list[str] = []
    check_store.attach(check_of(), tmp_path / "runs", on_skipped=said.append)
    assert "the report of model_latest.h5: " in said[0]


@pytest.mark.skipif(sys.platform == "win32", reason="has no locks of folders")
@pytest.mark.parametrize("has_run", [True, False])
def test_a_check_and_its_predictions_stay_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_run: bool
) -> None:
    """Two jobs may check a model at the same time, each with another range of pixels."""
    runs, check = tmp_path / "runs", check_of()
    folder = runs / "checks" / check.model.sha256[:16]
    if has_run:
        folder = run_store.save(replace(examples.run(), model=check.model), runs).parent
    really_write = disk.write

    def write(target: Path, content: bytes, *, staging: Path | None = None) -> None:
        is_second = threading.current_thread().name == "second"
        if is_second == (target.suffix == ".npz"):  # the other one's are written in between
            time.sleep(0.4 if is_second else 0.8)
        really_write(target, content, staging=staging)

    monkeypatch.setattr(disk, "write", write)
    jobs = [
        threading.Thread(
            target=check_store.attach,
            args=(check, runs, np.full((3, 10), value, np.float32)),
            name=name,
        )
        for name, value in (("first", 0.1), ("second", 0.2))
    ]
    for job in jobs:
        job.start()
        time.sleep(0.1)
    for job in jobs:
        job.join()
    name = "run.json" if has_run else "check.json"
    found = json.loads((folder / name).read_bytes())
    found = found["check"] if has_run else found
    assert found["predictions"] == disk.sha256(folder / "predictions.npz")
