"""The cache's four files, and what it means that no source answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mnist_tasks.environment import cache
from mnist_tasks.environment.source_check import Answer

if TYPE_CHECKING:
    from pathlib import Path

GOOD = Answer(name="npm", answers=True)
BAD = Answer(name="cvdf", answers=False, why="no answer in time")
LABELS = "t10k-labels-idx1-ubyte"


def test_four_good_files_are_well(small_mnist: Path) -> None:
    cached = cache.look(small_mnist)
    assert cache.is_complete(cached)
    found = cache.finding(small_mnist, cached)
    assert (found.status, found.details) == ("ok", ())
    assert found.found == f"4 of 4 verified in {small_mnist}"


def test_a_wrong_and_a_missing_file_are_a_warning_with_the_hash(small_mnist: Path) -> None:
    (small_mnist / LABELS).write_bytes(b"")
    (small_mnist / "train-labels-idx1-ubyte").unlink()
    found = cache.finding(small_mnist, cache.look(small_mnist))
    assert (found.status, found.remedy) == ("warning", "Run `mnist-tasks fetch`.")
    assert found.found.startswith("2 of 4 verified")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert f"{LABELS}: wrong, SHA-256 {empty}" in found.details
    assert "train-labels-idx1-ubyte: missing" in found.details
    assert "train-images-idx3-ubyte: ok" in found.details


def test_nothing_at_all_is_a_warning_in_a_line(tmp_path: Path) -> None:
    found = cache.finding(tmp_path / "none", cache.look(tmp_path / "none"))
    assert (found.status, found.details) == ("warning", ())


def test_what_can_not_be_read_is_a_fault(small_mnist: Path) -> None:
    (small_mnist / LABELS).unlink()
    (small_mnist / LABELS).mkdir()
    found = cache.finding(small_mnist, cache.look(small_mnist))
    assert found.status == "fault"
    assert any(line.startswith(f"{LABELS}: unreadable, ") for line in found.details)
    assert "--data-dir" in str(found.remedy)


@pytest.mark.parametrize(
    ("answers", "complete", "status"),
    [
        (None, False, "ok"),
        ((GOOD, BAD), False, "ok"),
        ((GOOD,), True, "ok"),
        ((BAD,), True, "warning"),
        ((BAD, BAD), False, "fault"),
    ],
)
def test_that_no_source_answers_matters_where_something_is_missing(
    answers: tuple[Answer, ...] | None, complete: bool, status: str
) -> None:
    found = cache.sources(answers, complete=complete)
    assert found.status == status
    assert (found.remedy is None) == (status == "ok")
    if answers and BAD in answers:
        assert "cvdf: no answer in time" in found.details
