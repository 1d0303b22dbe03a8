"""Random changes of training images: shifts by whole pixels, or affine transformations."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from mnist_tasks.training.batches import Augment, with_channels
from mnist_tasks.training.recipe import Recipe


def of_recipe(recipe: Recipe) -> Augment | None:
    """Return what changes the training images of a recipe; ``None`` if nothing does."""
    if recipe.is_affine:
        return partial(transform, recipe)
    return partial(shift, recipe.max_shift) if recipe.max_shift else None


def shift(
    max_shift: float, images: NDArray[np.uint8], random: np.random.Generator
) -> NDArray[np.uint8]:
    """Shift each image by up to `max_shift` whole pixels: take a window out of the padded image.

    Images are uint8, (n, h, w) or (n, h, w, 3); black pixels move in.
    """
    pixels = int(max_shift)
    margins = [(0, 0), *[(pixels, pixels)] * 2, *[(0, 0)] * (images.ndim - 3)]
    windows = np.lib.stride_tricks.sliding_window_view(
        np.pad(images, margins), images.shape[1:3], axis=(1, 2)
    )
    down, right = random.integers(0, 2 * pixels + 1, (2, len(images)))
    shifted: NDArray[np.uint8] = windows[np.arange(len(images)), down, right]
    # Of color images, the window has the channels first.
    return shifted if images.ndim == 3 else np.moveaxis(shifted, 1, -1)


def transform(
    recipe: Recipe, images: NDArray[np.uint8], random: np.random.Generator
) -> NDArray[np.uint8]:
    """Rotate, scale, shear and shift each image at random, all in one bilinear interpolation.

    Images are uint8, (n, h, w) or (n, h, w, 3); what is outside of one is black. Each amount is
    uniform between the largest that the recipe allows and its opposite; a shift is not rounded to
    whole pixels. Rotation and shear are about the center.
    """
    import tensorflow as tf  # not before the settings of a training are checked

    with tf.device("CPU"):
        moved = tf.raw_ops.ImageProjectiveTransformV3(
            images=with_channels(images),
            transforms=_matrices(recipe, images.shape[:3], random),
            output_shape=images.shape[1:3],
            fill_value=0.0,
            interpolation="BILINEAR",
            fill_mode="CONSTANT",
        )
    transformed: NDArray[np.uint8] = moved.numpy().reshape(images.shape)
    return transformed


def _matrices(
    recipe: Recipe, shape: tuple[int, ...], random: np.random.Generator
) -> NDArray[np.float32]:
    """Return transformations (n, 8) from a pixel of the output to a place in the input.

    The first six numbers are two rows of a matrix, rotation times shear times scaling, each with a
    summand; the last two are those of a perspective, which there is none of.
    """
    count, height, width = shape
    angle = np.deg2rad(random.uniform(-recipe.max_rotation, recipe.max_rotation, count))
    scales = 1 + random.uniform(-recipe.max_scaling, recipe.max_scaling, (2, count))
    shear = random.uniform(-recipe.max_shear, recipe.max_shear, count)
    shifts = random.uniform(-recipe.max_shift, recipe.max_shift, (2, count))
    cosine, sine, zero = np.cos(angle), np.sin(angle), np.zeros(count)
    x, y = (width - 1) / 2, (height - 1) / 2
    rows = (
        (cosine * scales[0], (cosine * shear - sine) * scales[1], x + shifts[0]),
        (sine * scales[0], (sine * shear + cosine) * scales[1], y + shifts[1]),
    )
    numbers = [part for a, b, c in rows for part in (a, b, c - a * x - b * y)]
    return np.stack([*numbers, zero, zero], axis=1).astype(np.float32)
