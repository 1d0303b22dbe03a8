"""What a model said, joined with what is true."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mnist_tasks import predictions
from mnist_tasks.checking import metrics
from mnist_tasks.data import store
from mnist_tasks.errors import InputRefusedError
from mnist_tasks.reporting import predicted_images, run_view
from mnist_tasks.reporting.predicted_images import Answers
from tests import runs

if TYPE_CHECKING:
    from pathlib import Path

    from mnist_tasks.reporting.run_view import View


def made(truths: list[int], said: list[tuple[int, float]]) -> Answers:
    spread = np.zeros((len(truths), 10), np.float32)
    for row, (digit, sureness) in zip(spread, said, strict=True):
        row[:] = (1 - sureness) / 9
        row[digit] = sureness
    return Answers(
        images=np.zeros((len(truths), 28, 28), np.uint8),
        labels=np.array(truths, np.uint8),
        probabilities=spread,
    )


SOME = made([1, 2, 3, 4, 5], [(1, 0.9), (7, 0.6), (3, 0.3), (9, 0.95), (5, 0.5)])


def test_the_surest_mistakes_come_first() -> None:
    first, second = predicted_images.confident_mistakes(SOME, 5)
    assert (first.index, first.truth, first.said) == (3, 4, 9)
    assert first.sureness == pytest.approx(0.95)
    assert first.of_truth == pytest.approx(0.05 / 9)
    assert second.index == 1
    assert predicted_images.confident_mistakes(SOME, 1) == (first,)


def test_the_least_sure_hits_come_first() -> None:
    assert [each.index for each in predicted_images.unsure_hits(SOME, 5)] == [2, 4, 0]
    assert all(each.truth == each.said for each in predicted_images.unsure_hits(SOME, 5))


def test_calibration_compares_sureness_and_accuracy_bin_by_bin() -> None:
    sure = made([1, 1, 1, 2], [(1, 0.9), (1, 0.9), (3, 0.9), (2, 0.21)])
    low, high = predicted_images.calibration(sure)
    assert (low.images, low.accuracy) == (1, 1.0)
    assert low.low < 0.21 <= low.high
    assert high.images == 3
    assert high.accuracy == pytest.approx(2 / 3)
    assert high.sureness == pytest.approx(0.9)
    assert high.interval[0] < 2 / 3 < high.interval[1]
    error = metrics.calibration_error(sure.probabilities, sure.labels)
    assert error == pytest.approx((0.79 + 3 * (0.9 - 2 / 3)) / 4)


def test_the_calibration_error_is_that_of_the_check(view: View) -> None:
    found = view.answers
    assert found is not None
    bins = predicted_images.calibration(found)
    gaps = sum(each.images * abs(each.accuracy - each.sureness) for each in bins)
    error = metrics.calibration_error(found.probabilities, found.labels)
    assert gaps / len(found.labels) == pytest.approx(error)
    assert view.calibration_error == error


def test_the_predictions_of_a_run_are_read_with_their_images(view: View, small_mnist: Path) -> None:
    digits = store.load(small_mnist, "test")
    assert view.answers is not None
    assert np.array_equal(view.answers.images, digits.images)
    assert np.array_equal(view.answers.labels, digits.labels)
    assert view.unanswered == ""


def test_predictions_of_another_check_are_refused(view: View, small_mnist: Path) -> None:
    digits = store.load(small_mnist, "test")
    predictions.save(runs.probabilities(digits.labels, seed=99), view.folder)
    with pytest.raises(InputRefusedError, match="don't match the record's confusion matrix"):
        predicted_images.load(view.record, view.folder, small_mnist)


def test_predictions_for_other_images_are_refused(view: View, small_mnist: Path) -> None:
    predictions.save(np.full((3, 10), 0.1, np.float32), view.folder)
    with pytest.raises(InputRefusedError, match="predictions for 3 images"):
        predicted_images.load(view.record, view.folder, small_mnist)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04nothing", b"x" * 1000])
def test_a_view_says_why_there_are_no_answers(view: View, content: bytes) -> None:
    (view.folder / predictions.FILE_NAME).write_bytes(content)
    again = replace(view)
    assert again.answers is None
    assert predictions.FILE_NAME in again.unanswered
    assert (again.mistakes, again.unsure, again.calibration) == ((), (), ())


def test_without_the_data_the_view_says_to_fetch_it(view: View, tmp_path: Path) -> None:
    again = replace(view, data=tmp_path / "none")
    assert again.answers is None
    assert "mnist-tasks fetch" in again.unanswered


def test_the_name_of_the_predictions_file_is_the_same_everywhere() -> None:
    assert run_view.PREDICTIONS_NAME == predictions.FILE_NAME
