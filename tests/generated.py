"""Digits for tests that need no MNIST: seven segments at random positions, with noise."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mnist_tasks.data import datasets
from mnist_tasks.data.datasets import Dataset

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from mnist_tasks.data.datasets import DataFile, Split
    from mnist_tasks.dataset_info import DatasetInfo

# The seven segments as rows and columns of a 14 x 8 glyph, and the segments of each digit.
SEGMENTS = {
    "a": (slice(0, 2), slice(0, 8)),
    "b": (slice(0, 7), slice(6, 8)),
    "c": (slice(7, 14), slice(6, 8)),
    "d": (slice(12, 14), slice(0, 8)),
    "e": (slice(7, 14), slice(0, 2)),
    "f": (slice(0, 7), slice(0, 2)),
    "g": (slice(6, 8), slice(0, 8)),
}
LIT = ("abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abcdfg")


def digits(count: int, seed: int = 0) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Draw digits.

    Returns
    -------
    images : (count, 28, 28) uint8
    labels : (count,) uint8
    """
    random = np.random.default_rng(seed)
    labels = random.integers(0, 10, count, dtype=np.uint8)
    images = random.integers(0, 40, (count, 28, 28), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        row, column = random.integers(6, 9), random.integers(9, 12)
        for segment in LIT[label]:
            rows, columns = SEGMENTS[segment]
            image[row : row + 14, column : column + 8][rows, columns] = 220
    return images, labels


def write(folder: Path, *, train: int, test: int) -> Dataset:
    """Write a small data set in the format of MNIST, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    table: dict[Split, tuple[DataFile, DataFile]] = {}
    splits: dict[Split, int] = {"train": train, "test": test}
    for seed, (split, count) in enumerate(splits.items()):
        small = []
        for real, array in zip(datasets.MNIST.split(split), digits(count, seed), strict=True):
            file = replace(real, shape=array.shape)
            content = file.header + array.tobytes()
            path = folder / file.name
            if not path.exists() or path.read_bytes() != content:
                path.write_bytes(content)
            small.append(replace(file, sha256=hashlib.sha256(content).hexdigest()))
        table[split] = (small[0], small[1])
    return replace(datasets.MNIST, train=table["train"], test=table["test"])


def write_photos(folder: Path, info: DatasetInfo, *, test: int) -> Dataset:
    """Write the test images of another data set, noise in a tint for each class.

    `folder` is that of `store.folder_of`. In the result, the training images are the same.
    """
    labels = (np.arange(test) % len(info.classes)).astype(np.uint8)
    random = np.random.default_rng(0)
    tints = random.integers(60, 256, (len(info.classes), 3))[:, : info.image_shape[2]]
    noise = random.uniform(0.3, 1, (test, *info.image_shape))
    images = (tints[labels][:, None, None] * noise).astype(np.uint8)
    files = []
    for real, array in zip(
        datasets.MNIST.test, (images.reshape(test, *info.array_shape), labels), strict=True
    ):
        file = replace(real, shape=array.shape)
        content = file.header + array.tobytes()
        (folder / info.name).mkdir(parents=True, exist_ok=True)
        (folder / info.name / file.name).write_bytes(content)
        files.append(replace(file, sha256=hashlib.sha256(content).hexdigest()))
    return Dataset(info=info, train=(files[0], files[1]), test=(files[0], files[1]))


def register(dataset: Dataset) -> None:
    """Make the package accept these files as MNIST, in this process."""
    datasets.KNOWN["mnist"] = dataset
