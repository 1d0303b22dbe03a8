"""The cache of data files: verified by SHA-256 on every use, and memory-mapped."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mnist_tasks import dataset_info, disk
from mnist_tasks.data import datasets
from mnist_tasks.dataset_info import DatasetInfo
from mnist_tasks.errors import EnvironmentProblemError, InputRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from mnist_tasks.data.datasets import DataFile, Dataset, Split


@dataclass(frozen=True, kw_only=True)
class LabeledImages:
    """One split of a data set.

    Attributes
    ----------
    images : (n, h, w) or (n, h, w, 3) uint8
        For MNIST: (n, 28, 28).
    labels : (n,) uint8
        Index of each image's class.
    sha256
        Hashes of the files that they were read from, by name.
    info
        What the images and labels are.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    sha256: Mapping[str, str] = field(default_factory=dict)
    info: DatasetInfo = dataset_info.MNIST

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        """Yield the images and the labels, to unpack: ``images, labels = data``."""
        yield self.images
        yield self.labels

    def first(self, count: int | None) -> LabeledImages:
        """Return the first `count` images and labels, or all."""
        return replace(self, images=self.images[:count], labels=self.labels[:count])

    def last(self, count: int) -> LabeledImages:
        """Return the last `count` images and labels; `count` is at least 1."""
        return replace(self, images=self.images[-count:], labels=self.labels[-count:])


def default_folder() -> Path:
    """Return the platform's cache folder for the files of MNIST.

    Raises
    ------
    EnvironmentProblemError
        The user has no home folder, as in a container with any user id.
    """
    from platformdirs import user_cache_path

    with suppress(KeyError, RuntimeError):  # the user has no name
        folder = Path(user_cache_path("mnist-tasks", appauthor=False))
        if folder.is_absolute():  # or else it begins with ~
            return folder / "mnist"
    raise EnvironmentProblemError(
        "the folder of the data files",
        expected="a user with a home folder",
        found="neither HOME nor a name of the user",
        remedy="Set HOME, or name a folder with --data-dir or MNIST_TASKS_DATA.",
        reason="no-home-folder",
    )


def folder_of(dataset: Dataset, folder: Path | None) -> Path:
    """Return the folder of a data set's files, by default in the platform's cache folder.

    A folder that the user names has the files of MNIST; each other data set, whose files have the
    same names, has a folder of its own in it. A project's own data set has one for each lock, since
    two projects may give theirs the same name.
    """
    name = dataset.info.name
    if name == dataset_info.MNIST.name:
        return folder or default_folder()
    if dataset.origin is not None:
        hashes = "".join(file.sha256 for file in dataset.files)
        name += f"-{hashlib.sha256(hashes.encode()).hexdigest()[:8]}"
    return (folder or default_folder().parent) / name


def load(folder: Path, split: Split, dataset: Dataset | None = None) -> LabeledImages:
    """Verify the files of one split, of MNIST by default, and map them into memory.

    Raises
    ------
    InputRefusedError
        A file is missing, or its hash is wrong.
    EnvironmentProblemError
        A file can't be read.
    """
    import numpy as np

    dataset = dataset or datasets.default()
    images, labels = dataset.split(split)
    for file in (images, labels):
        digest = cached_sha256(folder, file)
        if digest != file.sha256:
            raise unverified(file, digest, str(folder / file.name), dataset)

    def memory_map(file: DataFile) -> NDArray[np.uint8]:
        path, offset = folder / file.name, len(file.header)
        return np.memmap(path, dtype=np.uint8, mode="r", offset=offset, shape=file.shape)

    return LabeledImages(
        images=memory_map(images),
        labels=memory_map(labels),
        sha256={file.name: file.sha256 for file in (images, labels)},
        info=dataset.info,
    )


def cached_sha256(folder: Path, file: DataFile) -> str | None:
    """Return the SHA-256 of a cached file, or ``None`` if it is missing.

    Raises
    ------
    EnvironmentProblemError
        The file can't be read.
    """
    path = folder / file.name
    try:
        if not path.exists():
            return None
        if path.is_file():
            return disk.sha256(path)
        found = "not a file"
    except OSError as error:
        found = error.strerror or str(error)
    raise EnvironmentProblemError(str(path), expected="a readable file", found=found)


def unverified(
    file: DataFile,
    digest: str | None,
    subject: str,
    dataset: Dataset,
    *,
    size: int | None = None,
) -> InputRefusedError:
    """Return the error about a file that is missing (no `digest`) or has the wrong hash."""
    if digest is None:
        return InputRefusedError(
            subject,
            expected=file.name,
            found="no such file",
            remedy=f"Run `{dataset.fetch_command}`.",
        )
    length = "" if size in (None, file.bytes) else f" ({size:,} bytes, not {file.bytes:,})"
    return InputRefusedError(
        subject,
        expected=f"SHA-256 {file.sha256}",
        found=f"SHA-256 {digest}{length}",
        remedy=f"Run `{dataset.fetch_command}` to replace it.",
    )
