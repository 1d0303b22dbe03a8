"""Prepare a picture of a digit as MNIST's images were made.

Y. LeCun, C. Cortes and C. Burges, "The MNIST database of handwritten digits": the ink is bright on
black, its longer side is scaled to 20 pixels with its aspect, and its center of mass is moved to
the middle of an image with sides of 28 pixels. A photo also has a ground, whose light is uneven,
and noise. `prepare` takes these steps, which the demo page repeats in JavaScript, with doubles:

1. Resize the picture (`filters.resize`) if its longer side is above `WORKING_SIDE`.
2. Remove the ground (`ground.flatten`), once for bright ink and once for dark ink.
3. For each of the two, find the ink (`_ink`): the connected parts of what is above a threshold.
   The polarity is that whose ink has more energy.
4. Choose the parts that are the digit (`_chosen`), and count the digits (`_count`). Without any
   parts, the picture is blank.
5. Turn the contrast into values from 0 to 1, and crop them (`_values`).
6. Thicken strokes that are thinner than MNIST's (`_thickened`).
7. Resize the values to a longer side of 20, and place them in the image (`_placed`).

A half is rounded up throughout. The constants were chosen on photos made from MNIST's training
digits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mnist_tasks.predicting import components, ground
from mnist_tasks.predicting.components import Box, Part
from mnist_tasks.predicting.filters import fit, largest, resize, round_half_up
from mnist_tasks.predicting.ground import Flattened

Values = NDArray[np.float64]
Mask = NDArray[np.bool_]

SIDE, BOX = 28, 20  # pixels of an image, and of the longer side of its ink
CENTER = 14  # index of the pixel on which MNIST has the center of mass
WORKING_SIDE = 512  # pixels
LEAST_CONTRAST = 12.0  # gray levels of ink above the ground
LEAST_NOISE = 4.0 * 1.4826  # median absolute deviations above it: 4 standard deviations
OTSU_FRACTION = 0.75  # of Otsu's threshold, which misses faint strokes
LEAST_AREA = 4  # pixels of a part
BORDER = 0.1  # weight of parts that touch the border
LEAST_SIDE = 8  # pixels of a digit's longer side
INNER_SIDE = 1 / 32  # of the picture's longer side: the same, where other parts touch the border
SPECK = 0.02  # of the area of the largest part
NEAR = 0.25  # of the longer side of a digit: how far away a piece of it may be
REACH = 0.06  # of the longer side: parts with a gap of less than twice that are of one digit
TALL = 0.5  # of the height of the tallest digit: the least height of another
WIDEST = 2.0  # times the height; no training digit of MNIST is wider
RAMP = (0.4, 0.9)  # of the median contrast of the ink: where values are 0 and 1
SOFT = 3  # pixels around the ink with values above 0
EDGE = 0.3  # value of the outermost pixels
FINE_SIDE = 80  # pixels in which strokes are thickened
THINNEST = 1.7  # pixels of a stroke in the box of 20; 5% of MNIST's are thinner


@dataclass(frozen=True)
class Prepared:
    """A picture as an image like MNIST's.

    Attributes
    ----------
    digits
        How many the picture seems to show: 0 if it is blank, 2 or more if they lie apart, or if the
        ink is too wide for one.
    image : (28, 28) uint8
        The digit, bright on black, or all digits; black if there is none.
    """

    digits: int
    image: NDArray[np.uint8]


def prepare(gray: NDArray[np.uint8]) -> Prepared:
    """Prepare a picture of a digit, bright on a dark ground or dark on a bright one.

    Parameters
    ----------
    gray
        (h, w) uint8, of at least one pixel.
    """
    picture = gray.astype(np.float64)
    if max(picture.shape) > WORKING_SIDE:
        picture = resize(picture, *fit(picture.shape, WORKING_SIDE))
    bright, dark = (_ink(each) for each in ground.flatten(picture))
    ink = bright if bright.energy > dark.energy else dark
    parts, digits = _chosen(ink.parts, picture.shape)
    if not parts:
        return Prepared(0, np.zeros((SIDE, SIDE), np.uint8))
    values = _values(ink.contrast, components.mask_of(parts, picture.shape))
    return Prepared(_count(digits), _placed(_thickened(values)))


@dataclass(frozen=True)
class _Ink:
    """Ink of one polarity: its contrast, its parts, and how much there is."""

    contrast: Values
    parts: list[Part]
    energy: float


def _ink(flattened: Flattened) -> _Ink:
    """Return the ink, if it is of this polarity.

    Its energy is the sum of the cubes of the evidence, so that few large ones count more than many
    small ones. Parts that touch the border count less: they may be something else.
    """
    contrast = flattened.contrast
    parts = components.find(contrast > _threshold(contrast))
    parts = [each for each in parts if each.area >= LEAST_AREA]
    cubes = np.maximum(flattened.evidence, 0) ** 3
    energy = BORDER * float(cubes[components.mask_of(parts, contrast.shape)].sum())
    inner = [each for each in parts if _is_inner(each, contrast.shape)]
    energy += (1 - BORDER) * float(cubes[components.mask_of(inner, contrast.shape)].sum())
    return _Ink(contrast, parts, energy)


def _threshold(contrast: Values) -> float:
    """Return the least contrast of ink.

    It is above the noise and a fraction of the threshold that separates the levels above the noise
    best: N. Otsu, "A threshold selection method from gray-level histograms" (1979). A small digit
    has too few pixels to be found in the histogram of a whole picture.
    """
    least = max(LEAST_CONTRAST, LEAST_NOISE * float(np.median(np.abs(contrast))))
    levels = np.minimum(contrast[contrast > least], 255).astype(np.int64)
    counts = np.bincount(levels, minlength=256).astype(np.float64)
    below, sums = np.cumsum(counts), np.cumsum(counts * np.arange(256))
    total = max(below[-1], 1)
    between = (sums[-1] * below / total - sums) ** 2 / np.maximum(below * (total - below), 1)
    return max(least, OTSU_FRACTION * (int(np.argmax(between)) + 1))


def _is_inner(part: Part, shape: tuple[int, ...]) -> bool:
    """Whether a part does not touch the picture's border."""
    top, left, bottom, right = part.box
    return top > 0 and left > 0 and bottom < shape[0] and right < shape[1]


def _chosen(parts: list[Part], shape: tuple[int, ...]) -> tuple[list[Part], list[Box]]:
    """Return the parts that belong to digits, and the boxes of the digits.

    A part that touches the border, such as the edge of a table, is left out if there is another to
    be read, unless it may be a piece of that: near it and not much larger. Specks are left out, and
    small parts that are not near a digit.
    """
    least = max(LEAST_SIDE, INNER_SIDE * max(shape))
    inner = [each for each in parts if each.side >= least and _is_inner(each, shape)]
    if inner:
        largest_side = 2 * max(each.side for each in inner)
        boxes = [each.box for each in inner]
        parts = [
            each
            for each in parts
            if _is_inner(each, shape) or (each.side <= largest_side and _is_near(each, boxes))
        ]
    area = SPECK * max((each.area for each in parts), default=0)
    parts = [each for each in parts if each.area >= area]
    digits = _digits(parts)
    return [each for each in parts if _is_near(each, digits)], digits


def _is_near(part: Part, boxes: list[Box]) -> bool:
    return any(components.gap(part.box, box) <= NEAR * components.side(box) for box in boxes)


def _digits(parts: list[Part]) -> list[Box]:
    """Return the boxes of the digits: of parts that are close to one another, and tall enough."""
    longest = max((each.side for each in parts), default=0)
    if longest < LEAST_SIDE:
        return []
    boxes = components.groups(parts, max(1, round_half_up(REACH * longest)))
    heights = [bottom - top for top, _, bottom, _ in boxes]
    return [
        box for box, height in zip(boxes, heights, strict=True) if height >= TALL * max(heights)
    ]


def _count(digits: list[Box]) -> int:
    top, left, bottom, right = digits[0]
    is_wide = right - left > WIDEST * (bottom - top) + 2 * SOFT
    return 2 if len(digits) == 1 and is_wide else len(digits)


def _values(contrast: Values, mask: Mask) -> Values:
    """Return the ink in [0, 1], cropped: 0 outside of the mask and the pixels around it."""
    low, high = (float(np.median(contrast[mask])) * each for each in RAMP)
    values = np.clip((contrast - low) / (high - low), 0, 1)
    values = values * largest(mask.astype(np.float64), SOFT)
    rows, columns = (np.flatnonzero((values > EDGE).any(axis)) for axis in (1, 0))
    return values[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _thickened(values: Values) -> Values:
    """Return the ink with strokes that are at least `THINNEST`, in at most `FINE_SIDE` pixels.

    A stroke's width is twice its area, divided by its circumference. That is the sum of differences
    between neighbors, of which slanted edges have more by 4/π on average.
    """
    if max(values.shape) > FINE_SIDE:
        values = resize(values, *fit(values.shape, FINE_SIDE))
    edges = sum(float(np.abs(np.diff(np.pad(values, 1), axis=axis)).sum()) for axis in (0, 1))
    width = 2 * float(values.sum()) / (edges * math.pi / 4)
    radius = round_half_up((THINNEST * max(values.shape) / BOX - width) / 2)
    return largest(np.pad(values, radius), radius) if radius > 0 else values


def _placed(values: Values) -> NDArray[np.uint8]:
    """Return the ink in the box of 20, with its center of mass in the middle of the image."""
    values = resize(values, *fit(values.shape, BOX))
    height, width = values.shape
    total = values.sum()
    row = float(values.sum(1) @ np.arange(height) / total)
    column = float(values.sum(0) @ np.arange(width) / total)
    top = min(max(round_half_up(CENTER - row), 0), SIDE - height)
    left = min(max(round_half_up(CENTER - column), 0), SIDE - width)
    image = np.zeros((SIDE, SIDE))
    image[top : top + height, left : left + width] = values / values.max()
    return np.floor(image * 255 + 0.5).astype(np.uint8)
