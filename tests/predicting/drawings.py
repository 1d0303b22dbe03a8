"""Pictures of digits, drawn with lines."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from numpy.typing import NDArray

Point = tuple[float, float]
Digit = Sequence[Sequence[Point]]

#: Lines in a box of 10 by 10, as x and y.
SEVEN = (((2.0, 0.0), (8.0, 0.0), (4.0, 10.0)),)
FIVE = (((7.0, 0.0), (3.0, 0.0), (3.0, 4.5), (6.0, 4.5), (7.5, 7.0), (6.0, 9.5), (2.0, 10.0)),)
BROKEN_FIVE = (((7.5, 0.0), (4.0, 0.0)), ((2.5, 2.0), *FIVE[0][2:]))
ZERO = (((5.0, 0.0), (8.0, 3.0), (8.0, 7.0), (5.0, 10.0), (2.0, 7.0), (2.0, 3.0), (5.0, 0.0)),)
DASH = (((0.0, 5.0), (10.0, 5.0)),)


def draw(
    *digits: Digit,
    size: tuple[int, int] = (120, 160),
    side: float = 60,
    pen: float = 8,
    at: Point = (40, 30),
    ink: int = 40,
    paper: int = 210,
) -> NDArray[np.uint8]:
    """Return digits in a row on paper: (height, width) uint8.

    Parameters
    ----------
    size
        Height and width of the picture in pixels.
    side, pen, at
        Height of a digit, width of its strokes, and x and y of the first one, in pixels.
    """
    scale = 4  # for smooth edges
    height, width = size
    picture = Image.new("L", (width * scale, height * scale), paper)
    canvas = ImageDraw.Draw(picture)
    radius = pen * scale / 2
    for index, lines in enumerate(digits):
        for line in lines:
            points = [
                (
                    (at[0] + index * side * 1.1 + x * side / 10) * scale,
                    (at[1] + y * side / 10) * scale,
                )
                for x, y in line
            ]
            for one, other in pairwise(points):
                canvas.line([one, other], fill=ink, width=round(2 * radius))
            for x, y in points:
                canvas.ellipse([x - radius, y - radius, x + radius, y + radius], fill=ink)
    return np.asarray(picture.resize((width, height), Image.Resampling.BOX), np.uint8)


def lit(gray: NDArray[np.uint8], light: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return a picture in another light: (h, w) or broadcast to that, 1 as it is."""
    return np.clip(gray * light, 0, 255).astype(np.uint8)


def dots_below_a_line() -> NDArray[np.uint8]:
    """Draw a ruled line, and below it the dots of a display, each smaller than a digit can be."""
    picture = np.full((120, 120), 255, np.uint8)
    picture[10:13, 10:50] = 0
    for row in range(5):
        for column in range(3):
            if (row + column) % 2 == 0 and row + column < 6:  # not symmetric
                top, left = 30 + 3 * row, 45 + 3 * column
                picture[top : top + 2, left : left + 2] = 0
    return picture
