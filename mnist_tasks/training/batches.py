"""The training images in the order and the places that an epoch shows them in. NumPy only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mnist_tasks.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from mnist_tasks.data.store import LabeledImages

    Batches = tuple[NDArray[np.uint8], NDArray[np.int32]]

# Batch normalization needs more than one image to tell a mean from a value.
SMALLEST_BATCH = 4


def sizes(count: int, batch_size: int, *, smallest: int = SMALLEST_BATCH) -> list[int]:
    """Return the sizes of an epoch's batches: every image once.

    The last batch is what is left; where that is too little for statistics, less than `smallest`,
    it joins the one before.

    >>> sizes(10, 4)
    [4, 6]
    >>> sizes(13, 4)
    [4, 4, 5]
    """
    whole, rest = divmod(count, batch_size)
    batches = [batch_size] * whole
    if rest >= smallest or not batches:
        return [*batches, *([rest] if rest else [])]
    batches[-1] += rest
    return batches


def smallest(batch_size: int, *, images: int, replicas: int, micro_batches: int) -> int:
    """Return how many images a batch needs, so that each part of it has statistics of its own.

    Parameters
    ----------
    images
        How many there are in all.
    replicas, micro_batches
        On how many devices a batch is computed, and in how many parts on each.

    Raises
    ------
    UsageError
        There are not enough for several replicas.
    """
    needed = max(SMALLEST_BATCH, 2 * replicas * micro_batches)
    for option, found in (("--batch-size", batch_size), ("--limit", images)):
        if replicas > 1 and found < needed:
            raise UsageError(
                option,
                expected=f"at least {needed} images, to be shared out to {replicas} replicas",
                found=f"{found:,}",
                remedy="Choose more, or fewer devices.",
            )
    return needed


def epoch(
    digits: LabeledImages,
    *,
    batch_size: int,
    shift: int,
    steps: int,
    random: np.random.Generator,
    smallest: int = SMALLEST_BATCH,
) -> Iterator[Batches]:
    """Shuffle the images, move each a little, and yield them in runs of batches of one size.

    Parameters
    ----------
    shift
        The most pixels that an image moves, each way, at random; the border is black.
    steps
        The most batches of one run.
    smallest
        What is left after the last whole batch, if less, joins that.

    Yields
    ------
    images : (s, batch, 28, 28) uint8
    labels : (s, batch) int32
    """
    order = random.permutation(len(digits.labels))
    start = 0
    for count, size in _runs(sizes(len(order), batch_size, smallest=smallest), steps):
        chosen = order[start : start + count * size]
        start += len(chosen)
        images = _shifted(digits.images[chosen], shift, random)
        labels = digits.labels[chosen].astype(np.int32)
        yield images.reshape(count, size, *images.shape[1:]), labels.reshape(count, size)


def _runs(batches: list[int], steps: int) -> Iterator[tuple[int, int]]:
    """Yield how many batches of which size follow one another, `steps` at most at a time."""
    start = 0
    while start < len(batches):
        size = batches[start]
        count = 1
        while count < steps and batches[start + count : start + count + 1] == [size]:
            count += 1
        yield count, size
        start += count


def _shifted(
    images: NDArray[np.uint8], shift: int, random: np.random.Generator
) -> NDArray[np.uint8]:
    """Move each image by up to `shift` pixels: a window of 28 x 28 on the image and its border."""
    if not shift:
        return images
    height, width = images.shape[1:]
    padded = np.pad(images, ((0, 0), (shift, shift), (shift, shift)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (height, width), axis=(1, 2))
    down, right = random.integers(0, 2 * shift + 1, (2, len(images)))
    moved: NDArray[np.uint8] = windows[np.arange(len(images)), down, right]
    return moved
