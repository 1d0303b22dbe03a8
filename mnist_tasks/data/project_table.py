"""A project's own data sets: the tables ``[tool.mnist-tasks.datasets.NAME]`` of its settings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import Annotated, Any

from msgspec import Meta

from mnist_tasks import project, toml_files
from mnist_tasks.data import datasets
from mnist_tasks.data.datasets import DataFile, Dataset
from mnist_tasks.data.lock import ARRAYS, NAMES, Lock, invalid_names
from mnist_tasks.data.origin import Origin, SplitOrigin
from mnist_tasks.data.origin import paths as paths_of
from mnist_tasks.dataset_info import MOST_CLASSES, ClassName, DatasetInfo
from mnist_tasks.errors import UsageError, printable
from mnist_tasks.project import Project

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")

_HINT = "[images, labels] (IDX files), {npz, images, labels}, or a folder with one for each class"
_ADDRESS = "the address of a folder on a web server, ending in /"
_Split = Annotated[SplitOrigin, Meta(extra={"hint": _HINT}, description=_HINT)]


@dataclass(frozen=True, kw_only=True)
class DatasetTable:
    """The keys of the table of a data set. Paths are relative to the ``pyproject.toml``."""

    train: _Split
    test: _Split
    classes: Annotated[
        tuple[ClassName, ...] | None,
        Meta(
            extra={"hint": NAMES},
            extra_json_schema={"minItems": 2, "maxItems": MOST_CLASSES, "uniqueItems": True},
            description="Names of the classes, in the order of the labels. By default those of the "
            "folders, sorted.",
        ),
    ] = None
    mirrors: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^https?://[^\s]+/$", extra={"hint": _ADDRESS})], ...],
        Meta(
            extra={"hint": "addresses of folders on web servers, ending in /"},
            description="Addresses of folders on web servers with the same files, ending in /.",
        ),
    ] = ()
    lock: Annotated[
        Lock | None, Meta(description="Written by `mnist-tasks fetch --lock`; do not edit.")
    ] = None


@dataclass(frozen=True, kw_only=True)
class ProjectTable:
    """The table of a data set, and the project that it is in."""

    name: str
    table: DatasetTable
    project: Project

    @property
    def key(self) -> str:
        """The full name of the table."""
        return f"{project.PREFIX}datasets.{self.name}"

    @property
    def subject(self) -> str:
        """The file and the name of the table, for errors."""
        return f"{self.project.file}: [{self.key}]"

    @property
    def origin(self) -> Origin:
        """What the data set is made of."""
        table = self.table
        return Origin(
            name=self.name,
            folder=self.project.folder,
            train=table.train,
            test=table.test,
            classes=table.classes,
            mirrors=table.mirrors,
        )

    def locked(self) -> Dataset:
        """Return the data set.

        Raises
        ------
        UsageError
            The table has no lock, or one that contradicts it.
        """
        lock, remedy = self.table.lock, f"Run `{self.origin.lock_command}`."
        if lock is None:
            found, expected = "no lock", "the shapes and hashes of the files, in a table `lock`"
            raise UsageError(self.subject, expected=expected, found=found, remedy=remedy)
        if problem := lock.problem(self.table.classes):
            subject = f"{self.project.file}: [{self.key}.lock]"
            raise UsageError(
                subject, expected="what `fetch --lock` wrote", found=problem, remedy=remedy
            )
        return dataset(self.origin, lock)


def names() -> tuple[str, ...]:
    """Return the names of the data sets of the current folder's project."""
    found = project.find()
    return tuple(found.settings.datasets) if found else ()


def find(name: str) -> ProjectTable | None:
    """Return the table of a data set in the current folder's project, if there is one.

    Raises
    ------
    UsageError
        The table is not valid, or the project has one with the name of a known data set.
    """
    found = project.find()
    if found is None:
        return None
    for each in found.settings.datasets:
        _require_name(each, found)
    if name not in found.settings.datasets:
        return None
    key = f"{project.PREFIX}datasets.{name}"
    raw: Any = found.settings.datasets[name]
    table = toml_files.convert(raw, DatasetTable, found.file, name=f"[{key}]", prefix=f"{key}.")
    with toml_files.naming(found.file):
        _require_valid(table, key)
    return ProjectTable(name=name, table=table, project=found)


def dataset(made_of: Origin, lock: Lock) -> Dataset:
    """Return the data set of a lock."""
    height, width, *color = lock.train_images.shape[1:]
    files = [
        DataFile(
            name=f"{array.replace('_', '-')}-idx{len(locked.shape)}-ubyte",
            shape=locked.shape,
            array=array,
            sha256=locked.sha256,
        )
        for array, locked in zip(ARRAYS, lock.files, strict=True)
    ]
    info = DatasetInfo(
        name=made_of.name,
        title=made_of.name,
        image_shape=(height, width, 3 if color else 1),
        classes=lock.classes,
    )
    return Dataset(info=info, train=(files[0], files[1]), test=(files[2], files[3]), origin=made_of)


def _require_name(name: str, found: Project) -> None:
    expected = ""
    if name in datasets.KNOWN:
        expected = f"another name than {', '.join(datasets.KNOWN)}, which are known data sets"
    elif not NAME.fullmatch(name):
        expected = "a name of letters, digits, - and _"
    if expected:
        subject = f"{found.file}: {project.PREFIX}datasets.{printable(name)}"
        raise UsageError(subject, expected=expected, found=printable(name) or "nothing")


def _require_valid(table: DatasetTable, key: str) -> None:
    """Refuse what the types allow: names that can't be shown, and files that no mirror can have."""
    classes = table.classes
    if classes is not None and (bad := invalid_names(classes)):
        raise UsageError(f"{key}.classes", expected=NAMES, found=bad)
    for split, made_of in (("train", table.train), ("test", table.test)):
        paths, is_folder = paths_of(made_of), isinstance(made_of, str)
        if isinstance(made_of, tuple) and len(paths) != 2:
            found = f"a list of {len(paths)}"
            raise UsageError(f"{key}.{split}", expected=_HINT, found=found)
        if not is_folder and classes is None:
            expected = "the names of the classes, which only folders have without it"
            raise UsageError(f"{key}.classes", expected=expected, found="nothing")
        outside = [p for p in paths if PurePath(p).is_absolute() or ".." in PurePath(p).parts]
        if table.mirrors and (is_folder or outside):
            raise UsageError(
                f"{key}.{split}",
                expected="files below the folder of the pyproject.toml, since there are mirrors",
                found=printable((outside or paths)[0]),
            )
