"""Fetch the data files into the cache, from the first sources that have them.

A file is unpacked beside the cache, verified there, flushed and moved into place, so that the cache
never has an incomplete file. A lock lets two fetches at the same time share the work.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from mnist_tasks import disk
from mnist_tasks.data import datasets, store
from mnist_tasks.data.datasets import DataFile, Dataset
from mnist_tasks.data.download import Progress
from mnist_tasks.data.sources import Source
from mnist_tasks.errors import EnvironmentProblemError, InputRefusedError, MnistTasksError

CACHED = "cache"
OTHER_FOLDER = "Name another folder with --data-dir or in MNIST_TASKS_DATA."
LOCK_TIMEOUT = 900.0  # seconds: another fetch may have a slow connection


@dataclass(frozen=True, kw_only=True)
class FetchedFile:
    """A verified file and the name of its source: ``cache`` if it was there before."""

    name: str
    bytes: int
    sha256: str
    source: str


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """The result of a fetch.

    Attributes
    ----------
    failures
        One line for each source that failed and each file that was refused.
    """

    folder: str
    files: tuple[FetchedFile, ...]
    failures: tuple[str, ...] = ()

    @property
    def was_cached(self) -> bool:
        """Whether all files were in the cache before."""
        return all(file.source == CACHED for file in self.files)


def fetch(
    folder: Path,
    sources: Sequence[Source],
    *,
    progress: Progress,
    dataset: Dataset | None = None,
) -> Fetched:
    """Fetch the files that are missing in a folder, from the first sources that have them.

    `dataset` is MNIST by default.

    Raises
    ------
    InputRefusedError
        The files found are not those of the data set.
    EnvironmentProblemError
        No source can be reached, or the folder can't be written.
    """
    files = (dataset or datasets.default()).files
    if all(store.cached_sha256(folder, file) == file.sha256 for file in files):
        return _fetched(folder, files, {}, [])
    waiting = partial(progress.note, "waiting for another fetch")
    with (
        disk.writable(folder, remedy=OTHER_FOLDER),
        disk.locked(folder, timeout=LOCK_TIMEOUT, on_wait=waiting),
    ):
        return _fetch_missing(folder, files, sources, progress)


def _fetch_missing(
    folder: Path, files: Sequence[DataFile], sources: Sequence[Source], progress: Progress
) -> Fetched:
    origins: dict[str, str] = {}
    failures: list[MnistTasksError] = []
    missing = []
    for file in files:
        digest = store.cached_sha256(folder, file)
        if digest != file.sha256:
            missing.append(file)
        if digest not in (None, file.sha256):
            failures.append(store.unverified(file, digest, str(folder / file.name)))
    for source in sources:
        if not missing:
            break
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as staging:
            try:
                for file, candidate in source.retrieve(tuple(missing), Path(staging), progress):
                    digest = disk.sha256(candidate)
                    if digest != file.sha256:
                        subject, size = f"{file.name} from {source.name}", candidate.stat().st_size
                        raise store.unverified(file, digest, subject, size=size)
                    disk.move_in_place(candidate, folder / file.name)
                    missing.remove(file)
                    origins[file.name] = source.name
            except MnistTasksError as error:
                failures.append(error)
                progress.note(f"{source.name}: {error}")
    if missing:
        raise _not_found(missing, failures)
    return _fetched(folder, files, origins, failures)


def _fetched(
    folder: Path,
    files: Sequence[DataFile],
    origins: dict[str, str],
    failures: list[MnistTasksError],
) -> Fetched:
    return Fetched(
        folder=str(folder),
        files=tuple(
            FetchedFile(
                name=file.name,
                bytes=file.bytes,
                sha256=file.sha256,
                source=origins.get(file.name, CACHED),
            )
            for file in files
        ),
        failures=tuple(f"{error.subject}: {error.found}" for error in failures),
    )


def _not_found(missing: list[DataFile], failures: list[MnistTasksError]) -> MnistTasksError:
    """Return the error about missing files: a refusal if any file found was refused."""
    was_refused = any(isinstance(error, InputRefusedError) for error in failures)
    kind = InputRefusedError if was_refused else EnvironmentProblemError
    reasons = "\n".join(f"- {error}" for error in failures)
    network = "Fix the network" if failures else "Rerun without --offline"
    return kind(
        ", ".join(file.name for file in missing),
        expected="a source that has the original files",
        found=reasons or "no source was allowed: the files are not cached, and the network is off",
        remedy=f"{network}, name a mirror with --mirror URL, or copy the files (IDX, gzipped "
        "IDX or mnist.npz) to a folder and run `mnist-tasks fetch --from FOLDER`.",
    )
