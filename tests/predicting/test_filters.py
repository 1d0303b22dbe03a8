"""Resizing and the extremes of a window."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from mnist_tasks.predicting import filters

rng = np.random.default_rng(0)


@pytest.mark.parametrize("size", [(5, 4), (12, 20), (7, 19), (12, 3), (1, 1)])
def test_a_smaller_picture_has_the_averages_of_areas(size: tuple[int, int]) -> None:
    values = rng.uniform(0, 255, (12, 20))
    found = filters.resize(values, *size)
    fine = np.kron(values, np.ones((size[0], size[1])))  # each new pixel is a block of it
    blocks = fine.reshape(size[0], 12, size[1], 20).mean((1, 3))
    np.testing.assert_allclose(found, blocks, atol=1e-9)
    assert found.shape == size


def test_a_larger_picture_is_interpolated() -> None:
    values = np.array([[0.0, 10.0]])
    np.testing.assert_allclose(filters.resize(values, 1, 4), [[0, 2.5, 7.5, 10]])
    np.testing.assert_allclose(filters.resize(np.full((3, 3), 7.0), 10, 8), 7)
    bilinear = Image.fromarray(rng.uniform(0, 255, (4, 5)).astype(np.float32))
    expected = np.asarray(bilinear.resize((20, 16), Image.Resampling.BILINEAR))
    np.testing.assert_allclose(
        filters.resize(np.asarray(bilinear, float), 16, 20), expected, atol=1e-3
    )


def test_the_extremes_of_a_window() -> None:
    values = rng.uniform(0, 1, (9, 7))
    for row in range(9):
        for column in range(7):
            window = values[max(0, row - 2) : row + 3, max(0, column - 2) : column + 3]
            assert filters.largest(values, 2)[row, column] == window.max()
            assert filters.smallest(values, 2)[row, column] == window.min()


def test_a_size_with_the_same_aspect() -> None:
    assert filters.fit((1000, 1), 20) == (20, 1)
    assert filters.fit((3, 2), 20) == (20, 13)
