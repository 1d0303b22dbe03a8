"""Predictions joined with the labels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mnist_tasks import predictions
from mnist_tasks.checking import metrics
from mnist_tasks.data import store
from mnist_tasks.errors import InputRefusedError
from mnist_tasks.reporting import export_tables, predicted_images
from mnist_tasks.reporting.predicted_images import ImagePredictions
from tests import runs

if TYPE_CHECKING:
    from pathlib import Path

    from mnist_tasks.reporting.run_view import RunView


def made(labels: list[int], predicted: list[tuple[int, float]]) -> ImagePredictions:
    spread = np.zeros((len(labels), 10), np.float32)
    for row, (digit, confidence) in zip(spread, predicted, strict=True):
        row[:] = (1 - confidence) / 9
        row[digit] = confidence
    return ImagePredictions(
        images=np.zeros((len(labels), 28, 28), np.uint8),
        labels=np.array(labels, np.uint8),
        probabilities=spread,
    )


SOME = made([1, 2, 3, 4, 5], [(1, 0.9), (7, 0.6), (3, 0.3), (9, 0.95), (5, 0.5)])


def test_all_wrong_predictions_are_there_the_most_confident_first() -> None:
    first, second = SOME.wrong
    assert (first.index, first.label, first.predicted) == (3, 4, 9)
    assert first.confidence == pytest.approx(0.95)
    assert first.probability_of_label == pytest.approx(0.05 / 9)
    assert second.index == 1
    assert len(made([1] * 50, [(2, 0.9)] * 50).wrong) == 50


def test_the_least_certain_correct_predictions_come_first() -> None:
    assert [each.index for each in SOME.least_certain_correct] == [2, 4, 0]
    assert all(each.label == each.predicted for each in SOME.least_certain_correct)
    many = made([1] * 50, [(1, 0.9)] * 50)
    assert len(many.least_certain_correct) == predicted_images.EXAMPLES


def test_typical_predictions_have_the_median_confidence_of_their_class() -> None:
    confidences = [0.3 + number / 100 for number in range(41)]
    found = made(
        [7] * 41 + [8, 8, 9], [*((7, each) for each in confidences), (8, 0.5), (7, 0.9), (7, 0.9)]
    )
    typical = found.typical_correct
    assert [each.index for each in typical] == [*range(15, 25), 41]
    assert all(each.label == each.predicted for each in typical)
    assert replace(found).typical_correct == typical


def test_calibration_compares_confidence_and_accuracy_bin_by_bin() -> None:
    found = made([1, 1, 1, 2], [(1, 0.9), (1, 0.9), (3, 0.9), (2, 0.21)])
    low, high = found.calibration
    assert (low.images, low.accuracy) == (1, 1.0)
    assert low.low < 0.21 <= low.high
    assert high.images == 3
    assert high.accuracy == pytest.approx(2 / 3)
    assert high.confidence == pytest.approx(0.9)
    assert high.accuracy_low < 2 / 3 < high.accuracy_high
    error = metrics.calibration_error(found.probabilities, found.labels)
    assert error == pytest.approx((0.79 + 3 * (0.9 - 2 / 3)) / 4)


def test_the_calibration_error_is_that_of_the_check(view: RunView) -> None:
    found = view.predictions
    assert found is not None
    bins = found.calibration
    gaps = sum(each.images * abs(each.accuracy - each.confidence) for each in bins)
    error = metrics.calibration_error(found.probabilities, found.labels)
    assert gaps / len(found.labels) == pytest.approx(error)
    assert found.calibration_error == error


def test_predictions_are_loaded_with_their_images(view: RunView, small_mnist: Path) -> None:
    digits = store.load(small_mnist, "test")
    assert view.predictions is not None
    assert np.array_equal(view.predictions.images, digits.images)
    assert np.array_equal(view.predictions.labels, digits.labels)
    assert view.no_predictions == ""


def test_predictions_of_another_check_are_refused(view: RunView, small_mnist: Path) -> None:
    digits = store.load(small_mnist, "test")
    predictions.save(runs.probabilities(digits.labels, seed=99), view.folder)
    with pytest.raises(InputRefusedError, match="don't match the record's confusion matrix"):
        predicted_images.load(view.record, view.folder, small_mnist)


def test_predictions_for_other_images_are_refused(view: RunView, small_mnist: Path) -> None:
    predictions.save(np.full((3, 10), 0.1, np.float32), view.folder)
    with pytest.raises(InputRefusedError, match="predictions for 3 images"):
        predicted_images.load(view.record, view.folder, small_mnist)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04nothing", b"x" * 1000])
def test_a_view_says_why_there_are_no_predictions(view: RunView, content: bytes) -> None:
    (view.folder / predictions.FILE_NAME).write_bytes(content)
    again = replace(view)
    assert again.predictions is None
    assert predictions.FILE_NAME in again.no_predictions
    found = export_tables.of_run(again)
    for name in ("wrong", "least_certain_correct", "typical_correct", "calibration"):
        assert found[name] == []


def test_without_the_data_the_view_says_to_fetch_it(view: RunView, tmp_path: Path) -> None:
    again = replace(view, data_folder=tmp_path / "none")
    assert again.predictions is None
    assert "mnist-tasks fetch" in again.no_predictions


def test_images_that_cant_be_read_are_no_reason_for_no_report(view: RunView) -> None:
    """As those that are missing, or whose folder is unknown: of a user without a home folder."""
    again = replace(view)
    assert again.data_folder
    labels = again.data_folder / "t10k-labels-idx1-ubyte"
    labels.unlink()
    labels.mkdir()
    assert again.predictions is None
    assert f"{labels}: not a file" in again.no_predictions


def test_intervals_have_the_confidence_of_the_contract(view: RunView) -> None:
    assert view.predictions is not None
    wide, narrow = (
        replace(view.predictions, interval_confidence=level).calibration[0]
        for level in (0.999, 0.5)
    )
    assert wide.accuracy_low < narrow.accuracy_low
    assert view.predictions.interval_confidence == 0.99
