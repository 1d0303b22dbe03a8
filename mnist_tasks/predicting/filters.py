"""Filters of gray values: resize, and the extremes of a window.

All are separable: the columns are filtered, then the rows.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


def round_half_up(value: float) -> int:
    """Round as JavaScript's ``Math.round`` does.

    >>> round_half_up(2.5), round_half_up(-2.5)
    (3, -2)
    """
    return math.floor(value + 0.5)


def fit(shape: tuple[int, ...], side: int) -> tuple[int, int]:
    """Return the size with the same aspect whose longer side is `side`; no side is below 1.

    >>> fit((60, 45), 20)
    (20, 15)
    """
    height, width = shape
    scale = side / max(shape)
    return max(1, round_half_up(height * scale)), max(1, round_half_up(width * scale))


def resize(values: Values, height: int, width: int) -> Values:
    """Return values at another size: the area's average, or bilinear where a side grows.

    Parameters
    ----------
    values
        (h, w) float64.

    Returns
    -------
    resized : (height, width) float64
    """
    return _resize_rows(_resize_rows(values, height).T, width).T


def _resize_rows(values: Values, new: int) -> Values:
    old = len(values)
    scale = old / new
    if scale < 1:  # between the two nearest rows
        places = np.clip((np.arange(new) + 0.5) * scale - 0.5, 0, old - 1)
        above = places.astype(np.intp)
        share = (places - above)[:, None]
        between: Values = (
            values[above] * (1 - share) + values[np.minimum(above + 1, old - 1)] * share
        )
        return between
    # Sums of all rows up to each boundary of the new ones, which may lie within a row.
    ends = np.arange(new + 1) * scale
    whole = np.minimum(ends.astype(np.intp), old - 1)
    sums = np.vstack([np.zeros(values.shape[1]), np.cumsum(values, axis=0)])
    until = sums[whole] + values[whole] * (ends - whole)[:, None]
    averages: Values = np.diff(until, axis=0) / scale
    return averages


def largest(values: Values, radius: int) -> Values:
    """Return the largest value in the square window around each pixel.

    The window is ``2 * radius + 1`` pixels wide, less at the border.
    """
    for axis in (0, 1):
        margin = [(0, 0), (0, 0)]
        margin[axis] = (radius, radius)
        padded = np.pad(values, margin, mode="edge")
        windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * radius + 1, axis=axis)
        values = windows.max(axis=-1)
    return values


def smallest(values: Values, radius: int) -> Values:
    """Return the smallest value in the square window around each pixel, as `largest` does."""
    return -largest(-values, radius)
