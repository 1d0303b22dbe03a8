"""An exported model agrees only if every class is the same, and each probability is close."""

from __future__ import annotations

import numpy as np
import pytest

from mnist_tasks.exporting import comparison

EXPECTED = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.4, 0.3, 0.3]], np.float32)


def test_small_differences_agree() -> None:
    found = comparison.compare(EXPECTED, EXPECTED + np.array([9e-6, -9e-6, 0]))
    assert found.agrees
    assert (found.images, found.other_class, found.beyond) == (3, 0, 0)
    assert found.largest_difference == pytest.approx(9e-6, rel=0.05)


def test_a_probability_that_differs_is_counted() -> None:
    changed = EXPECTED.astype(np.float64)
    changed[1] += [1.2e-5, -1.2e-5, 0]
    found = comparison.compare(EXPECTED, changed)
    assert not found.agrees
    assert (found.other_class, found.beyond) == (0, 1)
    assert "another class for 0 of 3 images" in found.words()
    assert "more than 1e-05 for 1 (at most by 1.2e-05)" in found.words()


def test_another_class_is_counted_even_if_the_probabilities_are_close() -> None:
    expected = np.array([[0.500001, 0.499999]], np.float32)
    found = comparison.compare(expected, np.array([[0.499999, 0.500001]]))
    assert not found.agrees
    assert (found.other_class, found.beyond) == (1, 0)


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_what_is_no_finite_number_differs(number: float) -> None:
    changed = EXPECTED.astype(np.float64)
    changed[2, 1] = number
    found = comparison.compare(EXPECTED, changed)
    assert (found.beyond, found.largest_difference) == (1, np.inf)
    assert not found.agrees
