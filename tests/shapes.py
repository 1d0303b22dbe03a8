"""A data set of 20 x 24 color pictures in four named classes, for tests of one's own data."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import numpy as np

from mnist_tasks.data import idx

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

CLASSES = ("bolt", "nut", "screw", "washer")
COUNTS = {"train": 24, "test": 8}  # of each class
FOLDERS = 'train = "parts/train"\ntest = "parts/test"\n'


def draw(each: int, seed: int = 0) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Draw `each` images of every class: (n, 20, 24, 3) uint8, and their labels."""
    random = np.random.default_rng(seed)
    labels = np.repeat(np.arange(4, dtype=np.uint8), each)
    images = random.integers(0, 60, (len(labels), 20, 24, 3), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        top = 2 + 4 * int(label)
        image[top : top + 3, 4:20, label % 3] = 230
    return images, labels


def arrays() -> dict[str, NDArray[np.uint8]]:
    """Return the four arrays of the data set."""
    found = {}
    for seed, (split, each) in enumerate(COUNTS.items()):
        found[f"{split}_images"], found[f"{split}_labels"] = draw(each, seed)
    return found


def write_pictures(folder: Path) -> None:
    """Write the data set as PNG files: ``folder/train/bolt/000.png``."""
    from PIL import Image

    content = arrays()
    for split in COUNTS:
        for index, image in enumerate(content[f"{split}_images"]):
            path = folder / split / CLASSES[content[f"{split}_labels"][index]] / f"{index:03}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(path)


def write_idx(folder: Path, *, gzipped: bool = False) -> None:
    """Write the data set as IDX files: ``folder/train_images``, or gzipped ``.gz``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in arrays().items():
        path = idx.write(folder / name, array)
        if gzipped:
            (folder / f"{name}.gz").write_bytes(gzip.compress(path.read_bytes()))
            path.unlink()


def write_project(folder: Path, table: str = FOLDERS, more: str = "") -> Path:
    """Write a ``pyproject.toml`` with the data set ``parts``."""
    path = folder / "pyproject.toml"
    path.write_text(f"[tool.mnist-tasks.datasets.parts]\n{table}{more}")
    return path
