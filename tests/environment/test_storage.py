"""Cached files, intact or not, and folders that can or can't be written."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from mnist_tasks.environment import storage

MIB = storage.MIB
LABELS = "t10k-labels-idx1-ubyte"


def test_four_intact_files_are_ok(small_mnist: Path) -> None:
    found = storage.cache(small_mnist)
    assert (found.status, found.details) == ("ok", ())
    assert found.found == f"4 of 4 verified in {small_mnist}"


def test_a_wrong_and_a_missing_file_are_a_warning_with_the_hash(small_mnist: Path) -> None:
    (small_mnist / LABELS).write_bytes(b"")
    (small_mnist / "train-labels-idx1-ubyte").unlink()
    found = storage.cache(small_mnist)
    assert (found.status, found.remedy) == ("warning", "Run `mnist-tasks fetch`.")
    assert found.found.startswith("2 of 4 verified")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert f"{LABELS}: wrong, SHA-256 {empty}" in found.details
    assert "train-labels-idx1-ubyte: missing" in found.details
    assert "train-images-idx3-ubyte: ok" in found.details


def test_an_empty_cache_is_a_warning_without_details(tmp_path: Path) -> None:
    found = storage.cache(tmp_path / "none")
    assert (found.status, found.details) == ("warning", ())


def test_an_unreadable_file_is_an_error(small_mnist: Path) -> None:
    (small_mnist / LABELS).unlink()
    (small_mnist / LABELS).mkdir()
    found = storage.cache(small_mnist)
    assert found.status == "error"
    assert any(line.startswith(f"{LABELS}: unreadable, ") for line in found.details)
    assert "--data-dir" in str(found.remedy)


@pytest.mark.skipif(sys.platform == "win32", reason="has no FIFOs")
def test_a_fifo_is_an_error_and_does_not_block(small_mnist: Path) -> None:
    (small_mnist / LABELS).unlink()
    os.mkfifo(small_mnist / LABELS)
    found = storage.cache(small_mnist)
    assert found.status == "error"
    assert f"{LABELS}: unreadable, not a file" in found.details


def test_checking_an_existing_folder_leaves_nothing_behind(tmp_path: Path) -> None:
    found = storage.folder("cache", tmp_path, option="--data-dir")
    assert (found.status, found.facts["exists"], found.facts["error"]) == ("ok", True, None)
    assert found.facts["free"]
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_not_created(tmp_path: Path) -> None:
    found = storage.folder("runs", tmp_path / "a" / "b", option="--runs")
    assert (found.status, found.facts["exists"], found.facts["error"]) == ("ok", False, None)
    assert "created when needed" in found.found
    assert not (tmp_path / "a").exists()


def test_a_file_in_place_of_a_folder_is_an_error_if_the_folder_is_required(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    path = tmp_path / "file" / "runs"
    found = storage.folder("runs", path, option="--runs")
    assert found.status == "error"
    assert found.facts["error"] == f"{tmp_path / 'file'} is not a folder"
    assert "--runs" in str(found.remedy)
    found = storage.folder("cache", path, option="--data-dir", is_required=False)
    assert found.status == "ok"


@pytest.mark.skipif(sys.platform == "win32", reason="keeps the current folder")
def test_a_deleted_current_folder_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    for path in (Path(), Path("runs")):
        assert storage.folder("runs", path, option=None).status == "error"


@pytest.mark.parametrize(
    ("free", "is_required", "status"),
    [
        (900 * MIB, True, "ok"),
        (100 * MIB, True, "warning"),
        (MIB, True, "error"),
        (MIB, False, "ok"),
        (None, True, "ok"),
    ],
)
def test_little_space_is_a_warning_and_too_little_an_error(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    free: int | None,
    is_required: bool,
    status: str,
) -> None:
    def disk_usage(path: Path) -> SimpleNamespace:
        if free is None:
            raise PermissionError
        return SimpleNamespace(free=free)

    monkeypatch.setattr(shutil, "disk_usage", disk_usage)
    found = storage.folder("current folder", tmp_path, option=None, is_required=is_required)
    assert (found.status, found.facts["free"]) == (status, free)
    if status != "ok":
        assert "Free some space" in str(found.remedy)


def test_sizes_have_a_suitable_unit() -> None:
    assert storage.size(3 * 1024 * MIB) == "3.0 GiB"
    assert storage.size(200 * MIB) == "200 MiB"
