"""How images become a model's input: their size, their channels and the range of their pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mnist_tasks.records import Shape

SIDE = 28  # of the images, in pixels
Fit = Literal["pad", "resize"]


@dataclass(frozen=True, kw_only=True)
class Pixels:
    """A range of pixels: a pixel from 0 to 255 becomes ``pixel / divisor - offset``."""

    divisor: float
    offset: float = 0.0


CONVENTIONS = {
    "0-1": Pixels(divisor=255),
    "0-255": Pixels(divisor=1),
    "-1-1": Pixels(divisor=127.5, offset=1),
}


def standardized(mean: float, std: float) -> Pixels:
    """Return the range of pixels that have this mean and standard deviation in [0, 1]."""
    return Pixels(divisor=255 * std, offset=mean / std)


#: Ranges that are tried on every `SAMPLE_STEP`-th image, to say why an accuracy is low.
OTHER_CONVENTIONS = {
    **CONVENTIONS,
    "{mean = 0.1307, std = 0.3081}": standardized(mean=0.1307, std=0.3081),
}
SAMPLE_STEP = 40


@dataclass(frozen=True, kw_only=True)
class InputFormat:
    """How a model gets images.

    Attributes
    ----------
    shape
        The shape of its input, without the batch, for which images may be brought to another size
        than 28 x 28; by default they may not.
    fit
        How: ``pad`` adds the background all around, ``resize`` interpolates bilinearly.
    """

    pixels: Pixels = CONVENTIONS["0-1"]
    shape: Shape | None = None
    fit: Fit = "pad"


DEFAULT = InputFormat()


def size(shape: Shape) -> tuple[int, int] | None:
    """Return height and width of the images that an input of this shape takes, without the batch.

    The shapes are (h, w), (h * w,), (h, w, 1) and (h, w, 3); ``None`` for any other.
    """
    match shape:
        case (int(pixels),) if math.isqrt(pixels) ** 2 == pixels:
            return math.isqrt(pixels), math.isqrt(pixels)
        case (int(height), int(width)) | (int(height), int(width), 1 | 3):
            return height, width
        case _:
            return None


def arrange(
    images: NDArray[np.uint8], shape: Shape, *, pixels: Pixels, fit: Fit
) -> NDArray[np.float32]:
    """Return images as the input of a model.

    Parameters
    ----------
    images
        (n, 28, 28) uint8.
    shape
        Of the input, without the batch: one that `size` knows.
    pixels, fit
        As in `InputFormat`.

    Returns
    -------
    inputs : (n, *shape) float32
        Padding is the background, a pixel of 0. Three channels are three copies.
    """
    target = size(shape)
    if target is None or (fit == "pad" and min(target) < SIDE):
        raise ValueError(f"images can't be given to an input of the shape {shape}")
    values = images.astype(np.float32)
    if target != (SIDE, SIDE):
        values = _padded(values, target) if fit == "pad" else _resized(values, target)
    values = values / np.float32(pixels.divisor)
    if pixels.offset:
        values = values - np.float32(pixels.offset)
    if len(shape) == 3 and shape[-1] == 3:
        values = np.repeat(values[..., None], 3, axis=-1)
    return values.reshape(-1, *(each or 1 for each in shape))


def _padded(images: NDArray[np.float32], target: tuple[int, int]) -> NDArray[np.float32]:
    """Add background; of an odd number of rows or columns, the last side gets one more."""
    margins = [((side - SIDE) // 2, side - SIDE - (side - SIDE) // 2) for side in target]
    return np.pad(images, [(0, 0), *margins])


def _resized(images: NDArray[np.float32], target: tuple[int, int]) -> NDArray[np.float32]:
    """Interpolate bilinearly; a smaller image averages the pixels that it covers."""
    rows, columns = (_weights(side) for side in target)
    return (rows @ images @ columns.T).astype(np.float32)


def _weights(side: int) -> NDArray[np.float32]:
    """Return (side, 28) weights: a triangle around each new pixel's centre, of sum 1 each.

    The triangle is as wide as two pixels of the coarser image, which is what Pillow and
    `tf.image.resize` with `antialias` do.
    """
    scale = SIDE / side
    centers = (np.arange(side) + 0.5) * scale - 0.5
    distance = np.abs(centers[:, None] - np.arange(SIDE)) / max(scale, 1)
    triangles = np.maximum(0, 1 - distance)
    weights: NDArray[np.float32] = (triangles / triangles.sum(1, keepdims=True)).astype("f4")
    return weights
