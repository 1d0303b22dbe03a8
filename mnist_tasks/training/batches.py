"""Batches of training images: every image once per epoch, shuffled. NumPy only."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from mnist_tasks.data.store import LabeledImages
from mnist_tasks.errors import UsageError

Augment = Callable[[NDArray[np.uint8], np.random.Generator], NDArray[np.uint8]]
Batches = tuple[NDArray[np.uint8], NDArray[np.int32]]

# The statistics of batch normalization need more than one image.
SMALLEST_BATCH = 4


def with_channels(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return images, (n, h, w) or (n, h, w, 3), as a model gets them: (n, h, w, channels)."""
    return images.reshape(*images.shape[:3], -1)


def sizes(count: int, batch_size: int, *, smallest: int = SMALLEST_BATCH) -> list[int]:
    """Return the sizes of the batches of an epoch, which add up to `count` images.

    The last batch is smaller than the others; if it had fewer than `smallest` images, they are
    added to the one before.

    >>> sizes(10, 4)
    [4, 6]
    >>> sizes(13, 4, smallest=1)
    [4, 4, 4, 1]
    """
    whole, rest = divmod(count, batch_size)
    batches = [batch_size] * whole
    if rest >= smallest or not batches:
        return [*batches, *([rest] if rest else [])]
    batches[-1] += rest
    return batches


def smallest(batch_size: int, *, images: int, replicas: int, micro_batches: int) -> int:
    """Return the number of images that the smallest batch should have.

    Parameters
    ----------
    images
        Number of training images.
    replicas, micro_batches
        Number of devices that compute a batch, and of parts in which each computes its share. Each
        part needs two images for the statistics of batch normalization.

    Raises
    ------
    UsageError
        There are too few images for the replicas.
    """
    needed = max(SMALLEST_BATCH, 2 * replicas * micro_batches)
    for option, found in (("--batch-size", batch_size), ("--limit", images)):
        if replicas > 1 and found < needed:
            raise UsageError(
                option,
                expected=f"at least {needed} images for {replicas} replicas",
                found=f"{found:,}",
                remedy="Use more images, or fewer devices.",
            )
    return needed


def epoch(
    data: LabeledImages,
    *,
    batch_size: int,
    steps: int,
    random: np.random.Generator,
    transform: Augment | None = None,
    smallest: int = SMALLEST_BATCH,
    augment: Augment | None = None,
) -> Iterator[Batches]:
    """Shuffle the images, change them at random, and yield groups of batches of the same size.

    Parameters
    ----------
    steps
        Largest number of batches in a group.
    transform
        Changes the images of a whole group: see `augmentation`.
    smallest
        As in `sizes`.
    augment
        Changes the images of a batch, after they are transformed.

    Yields
    ------
    images : (s, batch, h, w) or (s, batch, h, w, 3) uint8
    labels : (s, batch) int32
    """
    order = random.permutation(len(data.labels))
    start = 0
    for count, size in _groups(sizes(len(order), batch_size, smallest=smallest), steps):
        chosen = order[start : start + count * size]
        start += len(chosen)
        images = data.images[chosen]
        if transform is not None:
            images = transform(images, random)
        if augment is not None:
            parts = images.reshape(count, size, *images.shape[1:])
            images = np.concatenate([augment(part, random) for part in parts])
        labels = data.labels[chosen].astype(np.int32)
        yield images.reshape(count, size, *images.shape[1:]), labels.reshape(count, size)


def _groups(batches: list[int], steps: int) -> Iterator[tuple[int, int]]:
    """Yield the number and the size of consecutive batches of the same size, up to `steps`."""
    for size, same in itertools.groupby(batches):
        count = len(list(same))
        for start in range(0, count, steps):
            yield min(steps, count - start), size
