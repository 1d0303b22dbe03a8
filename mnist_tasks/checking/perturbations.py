"""Perturbed test images: the same at every check, from fixed seeds, with NumPy alone.

Pixels from beyond the edge are black. Values are rounded and clipped to 0 to 255.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mnist_tasks.checking.contract import Noise, Rotate, Shift

Images = NDArray[np.uint8]

SEED = 0
DIRECTIONS = ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1))


def perturb(images: Images, perturbation: Shift | Rotate | Noise) -> Images:
    """Perturb images, (n, h, w) or (n, h, w, 3) uint8, as the contract specifies."""
    match perturbation:
        case Shift():
            return shift(images, perturbation.pixels)
        case Rotate():
            return rotate(images, perturbation.degrees)
        case Noise():
            return add_noise(images, perturbation.sigma)


def shift(images: Images, pixels: int) -> Images:
    """Move each image by some pixels in one of eight directions: to a side or a corner."""
    directions = np.random.default_rng(SEED).integers(len(DIRECTIONS), size=len(images))
    height, width = images.shape[1:3]
    padded = _padded(images, pixels)
    moved = np.empty_like(images)
    for number, (down, right) in enumerate(DIRECTIONS):
        top, left = pixels * (1 - down), pixels * (1 - right)
        chosen = directions == number
        moved[chosen] = padded[chosen, top : top + height, left : left + width]
    return moved


def rotate(images: Images, degrees: float) -> Images:
    """Rotate each image about its center, either way, with bilinear interpolation."""
    clockwise = np.random.default_rng(SEED).integers(2, size=len(images)).astype(bool)
    rotated = np.empty_like(images)
    for chosen, angle in ((clockwise, degrees), (~clockwise, -degrees)):
        rotated[chosen] = _rotate(images[chosen], math.radians(angle))
    return rotated


def add_noise(images: Images, sigma: float) -> Images:
    """Add Gaussian noise with this standard deviation; 1 is the range from black to white."""
    noise = np.random.default_rng(SEED).standard_normal(images.shape, dtype=np.float32)
    return _as_pixels(images + np.float32(255 * sigma) * noise)


def _rotate(images: Images, angle: float) -> Images:
    height, width = images.shape[1:3]
    row, column = np.mgrid[:height, :width]
    down, right = row - (height - 1) / 2, column - (width - 1) / 2
    # Where each pixel of the result comes from; the padding of one pixel is what lies beyond.
    from_row = math.cos(angle) * down - math.sin(angle) * right + (height - 1) / 2 + 1
    from_column = math.sin(angle) * down + math.cos(angle) * right + (width - 1) / 2 + 1
    from_row = from_row.clip(0, height + 1)
    from_column = from_column.clip(0, width + 1)
    top = np.minimum(from_row.astype(int), height)
    left = np.minimum(from_column.astype(int), width)
    below, beside = (from_row - top).astype("float32"), (from_column - left).astype("float32")
    if images.ndim == 4:  # the same for each channel
        below, beside = below[..., None], beside[..., None]
    padded = _padded(images, 1).astype(np.float32)
    return _as_pixels(
        (1 - below) * (1 - beside) * padded[:, top, left]
        + (1 - below) * beside * padded[:, top, left + 1]
        + below * (1 - beside) * padded[:, top + 1, left]
        + below * beside * padded[:, top + 1, left + 1]
    )


def _padded(images: Images, pixels: int) -> Images:
    """Add black pixels all around."""
    around = (pixels, pixels)
    return np.pad(images, ((0, 0), around, around, *[(0, 0)] * (images.ndim - 3)))


def _as_pixels(values: NDArray[np.float32]) -> Images:
    return values.round().clip(0, 255).astype(np.uint8)
