"""Remove the ground of a picture, which may be dark or light, and unevenly lit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mnist_tasks.predicting.filters import fit, largest, resize, smallest

Values = NDArray[np.float64]

SMALL_SIDE = 64  # pixels of the picture in which the ground is estimated
ROUNDS = 12  # of reweighting
RADIUS = 8  # pixels of the small picture; strokes are narrower than 2 * RADIUS + 1
DARKEST = 32  # gray levels; the noise of a ground that is darker is not amplified


@dataclass(frozen=True)
class Flattened:
    """A picture without its ground, if the ink has one of two polarities.

    Attributes
    ----------
    contrast : (h, w) float64
        Gray levels of each pixel above the ground, as if the light were even; of dark ink, below
        it. About 0 on the ground.
    evidence : (h, w) float64
        How far it is above the ground, or just above the smooth surface if that is less, in the
        light there is. In the second, a shadow is ink, and in the first, the inside of an 8 is ink
        of the other polarity.
    """

    contrast: Values
    evidence: Values


def flatten(picture: Values) -> tuple[Flattened, Flattened]:
    """Return a picture without its ground: if its ink is bright, and if it is dark.

    The ground is a smooth surface, and what no stroke is wide enough to be: a shadow with a sharp
    edge, the table beside the paper.

    1. Make the picture small, fit a quadratic surface to it (`_surface`), and subtract that from
       the small picture and from the picture itself.
    2. Subtract from the picture the opening of the small one, enlarged: the largest of the smallest
       values in a window, in which no bright stroke is left. Then subtract the median. For dark
       ink, do the same with the negative picture.
    3. Multiply with the ground's median, divided by the ground: the contrast of ink is proportional
       to the light. The ground is the picture less the contrast, and at least `DARKEST`.

    Parameters
    ----------
    picture
        (h, w) float64, 0 to 255.
    """
    height, width = picture.shape
    small = picture
    if max(height, width) > SMALL_SIDE:
        small = resize(picture, *fit(picture.shape, SMALL_SIDE))
    coefficients = _surface(small)
    rest = picture - _terms(height, width) @ coefficients
    small_rest = small - _terms(*small.shape) @ coefficients
    return (
        _flattened(picture, rest, small_rest, sign=1),
        _flattened(picture, -rest, -small_rest, sign=-1),
    )


def _flattened(picture: Values, rest: Values, small_rest: Values, *, sign: int) -> Flattened:
    opened = largest(smallest(small_rest, RADIUS), RADIUS)
    contrast = rest - resize(opened, *rest.shape)
    contrast = contrast - float(np.median(contrast))
    ground = np.maximum(picture - sign * contrast, DARKEST)
    light = float(np.median(ground)) / ground
    return Flattened(contrast * light, np.minimum(contrast, rest))


def _surface(small: Values) -> Values:
    """Return the coefficients of the quadratic surface with the least absolute differences.

    Least squares, reweighted by the inverse of the differences, so that the ink counts little:
    E. J. Schlossmacher, "An iterative technique for absolute deviations curve fitting" (1973). A
    difference below one gray level counts as one.
    """
    terms, values = _terms(*small.shape).reshape(-1, 6), small.ravel()
    differences: Values = values - np.median(values)
    coefficients: Values = np.zeros(6)
    for _ in range(ROUNDS):
        weighted = terms / np.maximum(np.abs(differences), 1)[:, None]
        # The diagonal keeps a picture of a single row solvable.
        squares = weighted.T @ terms + 1e-6 * np.eye(6)
        coefficients = np.linalg.solve(squares, weighted.T @ values).astype(np.float64)
        differences = values - terms @ coefficients
    return coefficients


def _terms(height: int, width: int) -> Values:
    """Return 1, x, y, x², xy and y² of each pixel's center, from -1 to 1: (height, width, 6)."""
    y, x = ((2 * np.arange(side) + 1) / side - 1 for side in (height, width))
    x, y = np.broadcast_arrays(x, y[:, None])
    return np.stack([np.ones((height, width)), x, y, x * x, x * y, y * y], axis=-1)
