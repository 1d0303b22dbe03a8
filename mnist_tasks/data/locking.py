"""Lock a project's own data set: read its files once, and write down their shapes and hashes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mnist_tasks import temporary
from mnist_tasks.data import datasets, idx, lock_table, project_table
from mnist_tasks.data.datasets import DataFile, Dataset
from mnist_tasks.data.download import Progress
from mnist_tasks.data.lock import Lock, LockedFile
from mnist_tasks.data.project_files import SPLITS, ProjectFiles
from mnist_tasks.data.project_table import ProjectTable
from mnist_tasks.errors import InputRefusedError, MnistTasksError, UsageError, printable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mnist_tasks.data.candidates import Candidate


@dataclass(frozen=True)
class Read:
    """A data set that was read from a source, as a source of its files.

    Attributes
    ----------
    arrays
        By name: images (n, h, w) or (n, h, w, 3) uint8, and labels (n,) uint8.
    """

    name: str
    classes: tuple[str, ...]
    arrays: Mapping[str, NDArray[np.uint8]]

    def retrieve(
        self, wanted: Sequence[DataFile], staging: Path, _: Progress
    ) -> Iterator[Candidate]:
        """Write each wanted file in the cache's format."""
        for file in tuple(wanted):
            yield file, idx.write(staging / file.name, self.arrays[file.array])


def find(name: str, *, source: str | None = None) -> ProjectTable:
    """Return the table of a data set that is to be locked.

    Raises
    ------
    UsageError
        There is no such table, it is not valid, or a known `source` is named.
    """
    if source is not None:
        expected = "--lock without it: a data set of your own has no known sources"
        raise UsageError("--source", expected=expected, found=printable(source))
    own = project_table.find(name)
    if own is not None:
        return own
    if name in datasets.KNOWN:
        raise UsageError(
            "--lock",
            expected="a data set of your own, from a table in pyproject.toml",
            found=f"{name}, whose hashes are known",
        )
    raise datasets.unknown(name)


def lock(
    own: ProjectTable, sources: Sequence[ProjectFiles], *, progress: Progress
) -> tuple[Dataset, Read]:
    """Read a data set from the first source that has it, and write its lock.

    Raises
    ------
    InputRefusedError
        A file in the folder is missing, or one of the last source is not what the table says.
    EnvironmentProblemError
        The last source can't be reached, or ``pyproject.toml`` can't be written.
    """
    read = _read_first(sources, progress)
    train, test = (read.arrays[datasets.array_names(split)[0]].shape[1:] for split in SPLITS)
    if train != test:
        raise InputRefusedError(
            own.subject,
            expected="training and test images of the same size and number of channels",
            found=f"training images {train}, test images {test}",
        )
    found = Lock(
        classes=read.classes,
        **{
            name: LockedFile(shape=array.shape, sha256=idx.sha256(array))
            for name, array in read.arrays.items()
        },
    )
    lock_table.write(own, found)
    progress.note(f"locked in {own.project.file}")
    return project_table.dataset(own.origin, found), read


def _read_first(sources: Sequence[ProjectFiles], progress: Progress) -> Read:
    failure: MnistTasksError | None = None
    for source in sources:
        try:
            with temporary.folder() as staging:
                found = {
                    name: array
                    for split in SPLITS
                    for name, array in zip(
                        datasets.array_names(split),
                        source.read(split, staging, progress),
                        strict=True,
                    )
                }
            return Read(source.name, source.classes(), found)
        except MnistTasksError as error:
            if source.address() is None:  # the user's own file is wrong: a mirror may hide it
                raise
            progress.note(f"{source.name}: {error}")
            failure = error
    assert failure is not None  # noqa: S101
    raise failure
