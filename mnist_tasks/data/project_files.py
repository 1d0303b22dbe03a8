"""The files of a project's own data set, in the project or on a mirror, as a source."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

from mnist_tasks.data import arrays, datasets, idx, lock, picture_folder
from mnist_tasks.data.datasets import DataFile, Dataset, Split
from mnist_tasks.data.download import RETRY_POLICY, Progress, RetryPolicy, SilentProgress, download
from mnist_tasks.data.origin import Arrays, Origin
from mnist_tasks.data.origin import paths as paths_of
from mnist_tasks.dataset_info import MOST_TEST_IMAGES, MOST_TRAINING_IMAGES
from mnist_tasks.errors import InputRefusedError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mnist_tasks.data.candidates import Candidate

    SplitArrays = tuple[NDArray[np.uint8], NDArray[np.uint8]]

_Read = TypeVar("_Read")
SPLITS: tuple[Split, ...] = ("train", "test")
_MOST: dict[Split, int] = {"train": MOST_TRAINING_IMAGES, "test": MOST_TEST_IMAGES}


@dataclass(frozen=True)
class ProjectFiles:
    """The files that a project's table names, below a folder or below an address.

    Attributes
    ----------
    place
        A folder, or the address of a folder on a web server, which ends in ``/``.
    """

    origin: Origin
    place: Path | str
    name: str
    policy: RetryPolicy = RETRY_POLICY

    def exists(self) -> bool:
        """Whether any of the files is in the folder."""
        if isinstance(self.place, str):
            return False
        named = (*paths_of(self.origin.train), *paths_of(self.origin.test))
        # `Path.exists` raises for a name that is too long.
        return any(os.path.exists(self.place / path) for path in named)  # noqa: PTH110

    def address(self) -> str | None:
        """Return the address of one of the files; ``None`` if they are in a folder."""
        if isinstance(self.place, Path):
            return None
        return self.place + quote(paths_of(self.origin.test)[-1])

    def classes(self) -> tuple[str, ...]:
        """Return the names of the classes: those of the folders if the table has none."""
        train = self.origin.train
        if self.origin.classes is None and isinstance(train, str):
            folder = Path(self.place) / train
            found = picture_folder.class_names(folder)
            if problem := lock.invalid_names(found):
                expected = f"a subfolder for each class: {lock.NAMES}"
                raise InputRefusedError(str(folder), expected=expected, found=problem)
            return found
        return self.origin.classes or ()

    def read(self, split: Split, staging: Path, progress: Progress) -> SplitArrays:
        """Read a split.

        Training images that come class by class are interleaved: the last ones validate a sweep.

        Parameters
        ----------
        staging
            Folder for downloads, which are kept for the other split.

        Returns
        -------
        images : (n, h, w) or (n, h, w, 3) uint8
        labels : (n,) uint8

        Raises
        ------
        InputRefusedError
            A file is missing, or is not what the table says.
        EnvironmentProblemError
            The web server can't be reached.
        """
        images, labels = self._read(split, staging, progress)
        return arrays.mixed(images, labels) if split == "train" else (images, labels)

    def _read(self, split: Split, staging: Path, progress: Progress) -> SplitArrays:
        made_of, classes, most = self.origin.split(split), self.classes(), _MOST[split]
        if isinstance(made_of, str):
            folder = Path(self.place) / made_of
            progress.note(f"reading {folder}")
            return picture_folder.read(folder, classes, most=most)
        named = paths_of(made_of)
        if isinstance(made_of, Arrays):
            read_npz = partial(arrays.read_npz, names=(made_of.images, made_of.labels))
            images, labels = self._read_file(named[0], read_npz, staging, progress)
        else:
            images, labels = (self._read_file(path, idx.read, staging, progress) for path in named)
        shown = ", ".join(map(self._shown, named))
        return arrays.valid(images, labels, classes=len(classes), most=most, origin=shown)

    def retrieve(
        self, wanted: Sequence[DataFile], staging: Path, progress: Progress
    ) -> Iterator[Candidate]:
        """Read the splits of the wanted files, and write each file in the cache's format."""
        missing = {file.array: file for file in wanted}
        for split in SPLITS:
            keys = datasets.array_names(split)
            if not missing.keys().isdisjoint(keys):
                read = self.read(split, staging, progress)
                for key, array in zip(keys, read, strict=True):
                    if key in missing:
                        yield missing[key], idx.write(staging / missing[key].name, array)

    def _shown(self, path: str) -> str:
        return str(self.place / path) if isinstance(self.place, Path) else f"{self.name}: {path}"

    def _read_file(
        self, path: str, read: Callable[[Path], _Read], staging: Path, progress: Progress
    ) -> _Read:
        file = self._file(path, staging, progress)
        try:
            return read(file)
        except InputRefusedError as error:
            raise error.about(self._shown(path)) from error

    def _file(self, path: str, staging: Path, progress: Progress) -> Path:
        """Return the path of a file that the table names, after downloading it if need be."""
        if isinstance(self.place, Path):
            return self.place / path
        target = staging / hashlib.sha256(path.encode()).hexdigest()
        if not target.exists():
            progress.begin(f"{PurePosixPath(path).name} from {self.name}")
            address = self.place + quote(path)
            largest = idx.LARGEST_ARRAY
            download(address, target, policy=self.policy, progress=progress, largest=largest)
        return target


def require_unchanged(
    dataset: Dataset, folder: Path | None = None, *, may_lack: bool = False
) -> None:
    """Compare the files in a project with the lock of their data set.

    For a data set that is not a project's own, and in a project without the files, there is nothing
    to compare.

    Parameters
    ----------
    folder
        Where the user says that the files are; by default the folder of the ``pyproject.toml``.
    may_lack
        Whether the folder that the user named may lack the files.

    Raises
    ------
    InputRefusedError
        A file has changed, or can't be read; the folder that the user named has none.
    """
    origin = dataset.origin
    if origin is None:
        return
    named, folder = folder, folder or origin.folder
    here = ProjectFiles(origin, folder, str(folder))
    if not here.exists():
        if named is None or may_lack:
            return
        paths = dict.fromkeys((*paths_of(origin.train), *paths_of(origin.test)))
        raise InputRefusedError(
            str(named),
            expected=f"a folder with {', '.join(paths)}",
            found="none of them",
            remedy="Name a folder that has them. Without --from, those of the project are used.",
            reason="data-missing",
        )
    for split in SPLITS:
        read = here.read(split, folder, SilentProgress())
        for file, array in zip(dataset.split(split), read, strict=True):
            if (digest := idx.sha256(array)) != file.sha256:
                kind = "images" if array.ndim > 1 else "labels"
                raise InputRefusedError(
                    ", ".join(str(folder / path) for path in paths_of(origin.split(split))),
                    expected=f"the {kind} that were locked: {file.shape}, SHA-256 {file.sha256}",
                    found=f"{array.shape}, SHA-256 {digest}",
                    remedy=f"Restore the files or, if you meant to change them, run "
                    f"`{origin.lock_command}`.",
                    reason="data-changed",
                )
