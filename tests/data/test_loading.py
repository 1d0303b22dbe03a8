"""Loading a split, and fetching it if it is missing."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Self

import pytest

from mnist_tasks.data import datasets
from mnist_tasks.data.download import SilentProgress
from mnist_tasks.data.loading import DataConfig, load
from mnist_tasks.errors import EnvironmentProblemError, UsageError
from tests.data.test_sources import Recorder, file_server
from tests.server import serve

if TYPE_CHECKING:
    from pathlib import Path


class Shown(Recorder):
    """A progress that counts how often it is entered."""

    entered = 0

    def __enter__(self) -> Self:
        self.entered += 1
        return self

    def __exit__(self, *_: object) -> None:
        pass


def test_cached_files_load_without_a_download_progress(small_mnist: Path) -> None:
    shown = Shown()
    digits = load("test", DataConfig(folder=small_mnist, offline=True), progress=shown)
    assert len(digits.labels) == 128
    assert not shown.entered


def test_missing_files_are_fetched_first(small_mnist: Path, tmp_path: Path) -> None:
    shown = Shown()
    with serve(file_server(small_mnist)) as url:
        config = DataConfig(folder=tmp_path / "cache", mirror=url)
        digits = load("train", config, progress=shown)
    assert len(digits.labels) == 512
    assert shown.entered == 1
    assert shown.begun
    assert shown.notes[0].endswith("no such file; fetching")
    assert {file.name for file in datasets.default().files} <= {
        path.name for path in (tmp_path / "cache").iterdir()
    }


def test_missing_files_are_an_error_offline(tmp_path: Path) -> None:
    shown = Shown()
    with pytest.raises(EnvironmentProblemError, match="no source was allowed"):
        load("test", DataConfig(folder=tmp_path, offline=True), progress=shown)
    assert not any("fetching" in note for note in shown.notes)


def test_an_invalid_mirror_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        load(
            "test",
            DataConfig(folder=tmp_path, mirror="nowhere"),
            progress=nullcontext(SilentProgress()),
        )
