"""Folders that can be written, and folders that can't."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from mnist_tasks.environment import folders

MIB = folders.MIB


def test_a_folder_that_is_there_has_room_and_stays_as_it_is(tmp_path: Path) -> None:
    found = folders.look(tmp_path)
    assert (found.exists, found.why_not) == (True, None)
    assert (found.free or 0) > 0
    assert list(tmp_path.iterdir()) == []
    assert folders.finding("cache", found, option="--data-dir").status == "ok"


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    found = folders.look(tmp_path / "a" / "b")
    assert (found.exists, found.why_not) == (False, None)
    assert not (tmp_path / "a").exists()
    assert "is made when needed" in folders.finding("runs", found, option="--runs").found


def test_a_file_in_the_way_is_a_fault_where_it_matters(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    found = folders.look(tmp_path / "file" / "runs")
    assert found.why_not == f"{tmp_path / 'file'} is no folder"
    fault = folders.finding("runs", found, option="--runs")
    assert fault.status == "fault"
    assert "--runs" in str(fault.remedy)
    assert folders.finding("cache", found, option="--data-dir", must=False).status == "ok"


@pytest.mark.skipif(sys.platform == "win32", reason="keeps the current folder")
def test_a_current_folder_that_is_gone_is_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    for path in (Path(), Path("runs")):
        assert folders.finding("runs", folders.look(path), option=None).status == "fault"


@pytest.mark.parametrize(
    ("free", "must", "status"),
    [
        (900 * MIB, True, "ok"),
        (100 * MIB, True, "warning"),
        (MIB, True, "fault"),
        (MIB, False, "ok"),
        (None, True, "ok"),
    ],
)
def test_little_room_is_a_warning_and_none_a_fault(
    tmp_path: Path, free: int | None, must: bool, status: str
) -> None:
    folder = replace(folders.look(tmp_path), free=free)
    found = folders.finding("current folder", folder, option=None, must=must)
    assert found.status == status
    if status != "ok":
        assert "Make room" in str(found.remedy)


def test_sizes_are_shown_in_the_unit_that_suits_them() -> None:
    assert folders.size(3 * 1024 * MIB) == "3.0 GiB"
    assert folders.size(200 * MIB) == "200 MiB"
