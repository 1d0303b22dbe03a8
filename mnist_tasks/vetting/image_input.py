"""How images become a model's input: their size, their channels and the range of their pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mnist_tasks.check_records import Shape
from mnist_tasks.dataset_info import ImageShape

Fit = Literal["pad", "resize"]


@dataclass(frozen=True, kw_only=True)
class Pixels:
    """A range of pixels: a pixel from 0 to 255 becomes ``pixel / divisor - offset``."""

    divisor: float
    offset: float = 0.0

    @property
    def inverted(self) -> Pixels:
        """The range in which black is white: what a pixel of ``255 - pixel`` becomes in this one.

        >>> Pixels(divisor=255).inverted
        Pixels(divisor=-255, offset=-1.0)
        """
        return Pixels(divisor=-self.divisor, offset=self.offset - 255 / self.divisor)


CONVENTIONS = {
    "0-1": Pixels(divisor=255),
    "0-255": Pixels(divisor=1),
    "-1-1": Pixels(divisor=127.5, offset=1),
}


def standardized(mean: float, std: float) -> Pixels:
    """Return the range of pixels that have this mean and standard deviation in [0, 1]."""
    return Pixels(divisor=255 * std, offset=mean / std)


#: Ranges that are tried on a sample of the images, to say why an accuracy is low.
OTHER_CONVENTIONS = {
    **CONVENTIONS,
    "{mean = 0.1307, std = 0.3081}": standardized(mean=0.1307, std=0.3081),
}
_SAMPLE_IMAGES = 250
# Of red, green and blue in a gray pixel: ITU-R BT.601, as Pillow and TensorFlow do it.
LUMA = (0.299, 0.587, 0.114)


@dataclass(frozen=True, kw_only=True)
class InputFormat:
    """How a model gets images.

    Attributes
    ----------
    shape
        The shape of its input, without the batch, for which images may be brought to another
        size; by default they may not.
    fit
        How: ``pad`` adds the background all around, ``resize`` interpolates bilinearly.
    """

    pixels: Pixels = CONVENTIONS["0-1"]
    shape: Shape | None = None
    fit: Fit = "pad"


DEFAULT = InputFormat()


def sample_step(images: int) -> int:
    """Return the distance of the images of a sample: about 250 of many, and all of a few.

    >>> sample_step(10_000), sample_step(300)
    (40, 1)
    """
    return max(1, images // _SAMPLE_IMAGES)


def layout(shape: Shape, image_shape: ImageShape) -> ImageShape | None:
    """Return height, width and channels of the images that an input takes.

    Parameters
    ----------
    shape
        Of the input, without the batch: (h, w), (h, w, 1), (h, w, 3), or one number, which is that
        of the pixels or of all values of an image of `image_shape`, or of a square's pixels. For
        any other, the result is ``None``.
    image_shape
        Of the images that there are.
    """
    match shape:
        case (int(count),):
            return _flat(count, image_shape)
        case (int(height), int(width)) | (int(height), int(width), 1):
            return height, width, 1
        case (int(height), int(width), 3):
            return height, width, 3
        case _:
            return None


def _flat(count: int, image_shape: ImageShape) -> ImageShape | None:
    height, width, _ = image_shape
    if count == math.prod(image_shape):
        return image_shape
    if count == height * width:
        return height, width, 1
    side = math.isqrt(count)
    return (side, side, 1) if side**2 == count else None


def image_shape(images: NDArray[np.uint8]) -> ImageShape:
    """Return height, width and channels of images: (n, h, w) or (n, h, w, 3)."""
    height, width = images.shape[1:3]
    return height, width, 1 if images.ndim == 3 else 3


def arrange(
    images: NDArray[np.uint8], shape: Shape, *, pixels: Pixels, fit: Fit
) -> NDArray[np.float32]:
    """Return images as the input of a model.

    Parameters
    ----------
    images
        (n, h, w) or (n, h, w, 3) uint8.
    shape
        Of the input, without the batch: one that `layout` knows.
    pixels, fit
        As in `InputFormat`.

    Returns
    -------
    inputs : (n, *shape) float32
        Padding is the background, a pixel of 0. Three channels of a gray image are three copies;
        one channel of a color image is its luma.
    """
    given = image_shape(images)
    target = layout(shape, given)
    if target is None or (fit == "pad" and (target[0] < given[0] or target[1] < given[1])):
        raise ValueError(f"images can't be given to an input of the shape {shape}")
    values = images.astype(np.float32)
    if given[2] == 3 and target[2] == 1:
        values = values @ np.array(LUMA, np.float32)
    if target[:2] != given[:2]:
        values = (_padded if fit == "pad" else _resized)(values, target[0], target[1])
    values = values / np.float32(pixels.divisor)
    if pixels.offset:
        values = values - np.float32(pixels.offset)
    if given[2] == 1 and target[2] == 3:
        values = np.repeat(values[..., None], 3, axis=-1)
    return values.reshape(-1, *(each or 1 for each in shape))


def _padded(images: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """Add background; of an odd number of rows or columns, the last side gets one more."""
    added = height - images.shape[1], width - images.shape[2]
    margins = [(count // 2, count - count // 2) for count in added]
    return np.pad(images, [(0, 0), *margins, *[(0, 0)] * (images.ndim - 3)])


def _resized(images: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """Interpolate bilinearly; a smaller image averages the pixels that it covers."""
    rows, columns = _weights(images.shape[1], height), _weights(images.shape[2], width)
    if images.ndim == 3:
        return (rows @ images @ columns.T).astype(np.float32)
    by_channel = np.moveaxis(images, -1, 1)
    return np.moveaxis(rows @ by_channel @ columns.T, 1, -1).astype(np.float32)


def _weights(old: int, new: int) -> NDArray[np.float32]:
    """Return (new, old) weights: a triangle around each new pixel's center, of sum 1 each.

    The triangle is as wide as two pixels of the coarser image, which is what Pillow and
    `tf.image.resize` with `antialias` do.
    """
    scale = old / new
    centers = (np.arange(new) + 0.5) * scale - 0.5
    distance = np.abs(centers[:, None] - np.arange(old)) / max(scale, 1)
    triangles = np.maximum(0, 1 - distance)
    weights: NDArray[np.float32] = (triangles / triangles.sum(1, keepdims=True)).astype("f4")
    return weights
