"""The cache of verified data files: fetched once, vetted at every use, memory-mapped.

A file counts only when its SHA-256 is the one that `files` gives. It is unpacked beside the cache,
vetted there, flushed and moved into place, so that nothing half-written is ever seen; a lock lets
two fetches at once share the work.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mnist_tasks import disk
from mnist_tasks.data import datasets
from mnist_tasks.errors import EnvironmentProblemError, InputRefusedError, MnistTasksError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from mnist_tasks.data.datasets import DataFile, Split
    from mnist_tasks.data.download import Progress
    from mnist_tasks.data.sources import Source

CACHED = "cache"
OTHER_FOLDER = "Name another folder with --data-dir, or in MNIST_TASKS_DATA."
LOCK_TIMEOUT = 900.0  # seconds: another fetch over a slow line


@dataclass(frozen=True, kw_only=True)
class FetchedFile:
    """A verified file and where it came from: a source's name, or ``cache``."""

    name: str
    bytes: int
    sha256: str
    source: str


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """The outcome of a fetch.

    Attributes
    ----------
    setbacks
        What went wrong on the way, a line each: sources that failed, files that were refused.
    """

    folder: str
    files: tuple[FetchedFile, ...]
    setbacks: tuple[str, ...] = ()

    @property
    def was_cached(self) -> bool:
        """Whether there was nothing to do."""
        return all(file.source == CACHED for file in self.files)


@dataclass(frozen=True, kw_only=True)
class LabeledImages:
    """One split of the data set.

    Attributes
    ----------
    images : (n, 28, 28) uint8
    labels : (n,) uint8 in 0-9
    sha256
        Of the files that they were read from, by name.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    sha256: Mapping[str, str] = field(default_factory=dict)

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        """Yield the images and the labels, to unpack: ``images, labels = data``."""
        yield self.images
        yield self.labels

    def first(self, count: int | None) -> LabeledImages:
        """Return the first `count` digits, or all."""
        return replace(self, images=self.images[:count], labels=self.labels[:count])

    def last(self, count: int) -> LabeledImages:
        """Return the last `count` digits, at least one."""
        return replace(self, images=self.images[-count:], labels=self.labels[-count:])


def default_folder() -> Path:
    """Return the platform's cache folder for this package."""
    from platformdirs import user_cache_path

    return Path(user_cache_path("mnist-tasks", appauthor=False)) / "mnist"


def fetch(folder: Path, sources: Sequence[Source], *, progress: Progress) -> Fetched:
    """Put the four verified files into a folder, from the first sources that have them.

    Raises
    ------
    InputRefusedError
        Something that is not MNIST was found, and nothing that is.
    EnvironmentProblemError
        No source can be reached, or the folder can't be written.
    """
    found = {file: cached_sha256(folder, file) for file in datasets.FILES}
    if all(digest == file.sha256 for file, digest in found.items()):
        return _outcome(folder, {}, [])
    waiting = partial(progress.note, "another fetch is under way; waiting for it")
    with (
        disk.writable(folder, remedy=OTHER_FOLDER),
        disk.locked(folder, timeout=LOCK_TIMEOUT, on_wait=waiting),
    ):
        return _fetch_missing(folder, sources, progress)


def load(folder: Path, split: Split) -> LabeledImages:
    """Map one split into memory, after vetting its files.

    Raises
    ------
    InputRefusedError
        A file is missing or is not the one that it should be.
    """
    from mnist_tasks.data import idx

    images, labels = datasets.SPLITS[split]
    for file in (images, labels):
        digest = cached_sha256(folder, file)
        if digest != file.sha256:
            raise _refused(file, digest, str(folder / file.name))
    return LabeledImages(
        images=idx.memory_map(folder / images.name, images),
        labels=idx.memory_map(folder / labels.name, labels),
        sha256={file.name: file.sha256 for file in (images, labels)},
    )


def cached_sha256(folder: Path, file: DataFile) -> str | None:
    """Return the SHA-256 of a cached file, or ``None`` if it is missing.

    Raises
    ------
    EnvironmentProblemError
        It can't be read.
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


def _fetch_missing(folder: Path, sources: Sequence[Source], progress: Progress) -> Fetched:
    came_from: dict[str, str] = {}
    failures: list[MnistTasksError] = []
    missing = []
    for file in datasets.FILES:
        digest = cached_sha256(folder, file)
        if digest != file.sha256:
            missing.append(file)
        if digest not in (None, file.sha256):
            failures.append(_refused(file, digest, str(folder / file.name)))
    for source in sources:
        if not missing:
            break
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as staging:
            try:
                for file, candidate in source.retrieve(tuple(missing), Path(staging), progress):
                    digest = disk.sha256(candidate)
                    if digest != file.sha256:
                        raise _refused(file, digest, source.name, size=candidate.stat().st_size)
                    disk.move_in_place(candidate, folder / file.name)
                    missing.remove(file)
                    came_from[file.name] = source.name
            except MnistTasksError as error:
                failures.append(error)
                progress.note(f"{source.name}: {error}")
    if missing:
        raise _not_found(missing, failures)
    return _outcome(folder, came_from, failures)


def _outcome(folder: Path, came_from: dict[str, str], failures: list[MnistTasksError]) -> Fetched:
    return Fetched(
        folder=str(folder),
        files=tuple(
            FetchedFile(
                name=file.name,
                bytes=file.bytes,
                sha256=file.sha256,
                source=came_from.get(file.name, CACHED),
            )
            for file in datasets.FILES
        ),
        setbacks=tuple(f"{error.subject}: {error.found}" for error in failures),
    )


def _refused(
    file: DataFile, digest: str | None, where: str, *, size: int | None = None
) -> InputRefusedError:
    if digest is None:
        return InputRefusedError(
            where, expected=file.name, found="no such file", remedy="Run `mnist-tasks fetch`."
        )
    length = "" if size in (None, file.bytes) else f" ({size:,} bytes, not {file.bytes:,})"
    return InputRefusedError(
        where if where.endswith(file.name) else f"{file.name} from {where}",
        expected=f"SHA-256 {file.sha256}",
        found=f"SHA-256 {digest}{length}",
        remedy="Run `mnist-tasks fetch` to replace it.",
    )


def _not_found(missing: list[DataFile], failures: list[MnistTasksError]) -> MnistTasksError:
    """Say that files are missing, as a refusal where something was found that had to be refused."""
    was_refused = any(isinstance(error, InputRefusedError) for error in failures)
    kind = InputRefusedError if was_refused else EnvironmentProblemError
    reasons = "\n".join(f"- {error}" for error in failures)
    return kind(
        ", ".join(file.name for file in missing),
        expected="one source that has the real files",
        found=reasons or "no source was allowed: the cache lacks them, and the network is off",
        remedy="Mend the network, name a mirror with --mirror URL, or bring the files (IDX, IDX.gz "
        "or mnist.npz) and run `mnist-tasks fetch --from FOLDER`.",
    )
