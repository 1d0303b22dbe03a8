"""From predictions to metrics."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mnist_tasks.checking import metrics


def predicted(digits: list[int], confidence: float = 1.0) -> NDArray[np.float32]:
    """Predictions of these digits, all with the same confidence."""
    probabilities = np.full((len(digits), 10), (1 - confidence) / 9, np.float32)
    probabilities[np.arange(len(digits)), digits] = confidence
    return probabilities


def array(*values: int) -> NDArray[np.uint8]:
    return np.array(values, np.uint8)


def test_rows_are_labels_and_columns_predictions() -> None:
    found = metrics.compute(predicted([3, 5, 5, 9]), array(3, 3, 5, 9))
    assert found.confusion[3][3] == found.confusion[3][5] == 1
    assert found.confusion[5][5] == found.confusion[9][9] == 1
    assert (found.images, found.correct) == (4, 3)


def test_the_loss_is_the_mean_logarithm_and_stays_finite() -> None:
    probabilities = np.zeros((2, 10), np.float32)
    probabilities[0, [1, 2]] = 0.5
    probabilities[1, 4] = 1
    found = metrics.compute(probabilities, array(1, 7))
    assert found.loss == pytest.approx((-np.log(0.5) - np.log(1e-7)) / 2)


@given(st.integers(0, 2**32 - 1), st.integers(1, 200), st.sampled_from([0.1, 1.0, 10.0]))
def test_the_calibration_error_is_the_weighted_gap_of_fifteen_bins(
    seed: int, images: int, spread: float
) -> None:
    random = np.random.default_rng(seed)
    raw = np.exp(spread * random.normal(size=(images, 10)))
    probabilities = (raw / raw.sum(axis=1, keepdims=True)).astype(np.float32)
    labels = random.integers(0, 10, images).astype(np.uint8)

    expected = 0.0
    for number in range(15):
        rows = [
            (float(row.max()), int(row.argmax()) == label)
            for row, label in zip(probabilities, labels, strict=True)
            if number / 15 < float(row.max()) <= (number + 1) / 15
        ]
        if rows:
            confidence = sum(each for each, _ in rows) / len(rows)
            accuracy = sum(correct for _, correct in rows) / len(rows)
            expected += len(rows) / images * abs(accuracy - confidence)
    assert metrics.calibration_error(probabilities, labels) == pytest.approx(expected, abs=1e-9)


def test_a_model_whose_confidence_is_its_accuracy_is_calibrated() -> None:
    probabilities = predicted([0] * 10, 0.8)
    labels = array(0, 0, 0, 0, 0, 0, 0, 0, 1, 2)
    assert metrics.calibration_error(probabilities, labels) == pytest.approx(0, abs=1e-7)
    assert metrics.calibration_error(probabilities, array(*[1] * 10)) == pytest.approx(0.8)


def test_the_edge_of_a_bin_belongs_to_the_bin_below() -> None:
    edge = float(np.linspace(0, 1, 16)[3])
    probabilities: Any = np.zeros((2, 10))  # float64 can represent the edge exactly
    probabilities[:, 0] = edge, edge - 0.01
    # In one bin the gaps of a correct and a wrong prediction cancel out; in two they add up.
    gap = abs((1 - edge) - (edge - 0.01)) / 2
    assert metrics.calibration_error(probabilities, array(0, 1)) == pytest.approx(gap)
    assert metrics.calibration_error(predicted([0], 1.0), array(0)) == 0


def test_regressed_and_fixed_images_are_counted_one_by_one() -> None:
    labels = array(0, 1, 2, 3, 4)
    found = metrics.paired_counts(predicted([0, 1, 9, 9, 9]), predicted([0, 9, 2, 3, 9]), labels)
    assert (found.images, found.correct, found.regressed, found.fixed) == (5, 2, 2, 1)
