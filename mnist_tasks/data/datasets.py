"""The four files of MNIST: their names, shapes and hashes.

The hashes are of the *uncompressed* content, so that they verify every container that the data
comes in: IDX, gzipped IDX, ``mnist.npz``, a gzipped tarball.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import Literal

Split = Literal["train", "test"]
CHUNK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class DataFile:
    """One file of the data set.

    Attributes
    ----------
    shape
        (n, 28, 28) for images, (n,) for labels; unsigned bytes.
    array
        Name of the same array in ``mnist.npz``.
    sha256
        Hash of the uncompressed IDX file.
    """

    name: str
    shape: tuple[int, ...]
    array: str
    sha256: str

    @property
    def header(self) -> bytes:
        """The first bytes of the IDX file.

        Two zero bytes, the element type (0x08: unsigned byte), the number of dimensions, and each
        dimension as a big-endian 32-bit integer: the "IDX file format" of Y. LeCun's MNIST page.
        """
        return struct.pack(f">HBB{len(self.shape)}I", 0, 0x08, len(self.shape), *self.shape)

    @property
    def bytes(self) -> int:
        """The size of the uncompressed IDX file."""
        return len(self.header) + math.prod(self.shape)


TRAIN_IMAGES = DataFile(
    name="train-images-idx3-ubyte",
    shape=(60_000, 28, 28),
    array="x_train",
    sha256="ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
)
TRAIN_LABELS = DataFile(
    name="train-labels-idx1-ubyte",
    shape=(60_000,),
    array="y_train",
    sha256="65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
)
TEST_IMAGES = DataFile(
    name="t10k-images-idx3-ubyte",
    shape=(10_000, 28, 28),
    array="x_test",
    sha256="0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
)
TEST_LABELS = DataFile(
    name="t10k-labels-idx1-ubyte",
    shape=(10_000,),
    array="y_test",
    sha256="ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
)
SPLITS: dict[Split, tuple[DataFile, DataFile]] = {
    "train": (TRAIN_IMAGES, TRAIN_LABELS),
    "test": (TEST_IMAGES, TEST_LABELS),
}
FILES = tuple(file for split in SPLITS.values() for file in split)
