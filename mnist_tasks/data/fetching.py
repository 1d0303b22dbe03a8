"""Fetch the data files into the cache, from the first sources that have them.

A file is unpacked beside the cache, verified there, flushed and moved into place, so that the cache
never has an incomplete file. A lock lets two fetches at the same time share the work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mnist_tasks import disk, locks, temporary
from mnist_tasks.data import datasets, store
from mnist_tasks.data.containers import FORMATS
from mnist_tasks.data.datasets import DataFile, Dataset
from mnist_tasks.data.download import Progress
from mnist_tasks.data.local import Local
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

    `dataset` is MNIST by default. A folder or file that the user named is read even if nothing is
    missing, and must have at least one of the files.

    Raises
    ------
    InputRefusedError
        The files found are not those of the data set.
    EnvironmentProblemError
        No source can be reached, or the folder can't be written.
    """
    dataset = dataset or datasets.default()
    is_named = any(isinstance(source, Local) for source in sources)
    if not is_named and all(
        store.cached_sha256(folder, file) == file.sha256 for file in dataset.files
    ):
        return _fetched(folder, dataset.files, {}, [])

    def wait(holder: str) -> None:
        progress.note(f"waiting for {holder}, which is fetching, too")

    with (
        disk.writable(folder, remedy=OTHER_FOLDER),
        locks.locked(folder, timeout=LOCK_TIMEOUT, on_wait=wait),
    ):
        return _fetch_missing(folder, dataset, sources, progress)


def _fetch_missing(
    folder: Path, dataset: Dataset, sources: Sequence[Source], progress: Progress
) -> Fetched:
    origins: dict[str, str] = {}
    cached = {file: store.cached_sha256(folder, file) for file in dataset.files}
    missing = [file for file, digest in cached.items() if digest != file.sha256]
    failures: list[MnistTasksError] = [
        store.unverified(file, cached[file], str(folder / file.name), dataset)
        for file in missing
        if cached[file]
    ]
    has_nothing = False
    with disk.reserved(folder, sum(file.bytes for file in missing), remedy=OTHER_FOLDER):
        pass  # there is room
    for source in sources:
        is_named = isinstance(source, Local)
        if not (missing or is_named):
            break
        lacking = [*(dataset.files if is_named else missing)]
        problems = _take(source, dataset, lacking, folder, progress)
        origins |= {file.name: source.name for file in missing if file not in lacking}
        missing = [file for file in missing if file in lacking]
        has_nothing = is_named and len(sources) == 1 and len(lacking) == len(dataset.files)
        if missing or has_nothing:
            failures += problems
            for problem in problems if len(sources) > 1 else ():
                progress.note(f"{source.name}: {problem}")
    if missing or has_nothing:
        raise _not_found(missing or dataset.files, dataset, sources, failures)
    return _fetched(folder, dataset.files, origins, failures)


def _take(
    source: Source, dataset: Dataset, wanted: list[DataFile], folder: Path, progress: Progress
) -> list[MnistTasksError]:
    """Move the wanted files of a source into the folder, and return why it did not have the rest.

    What it had is removed from `wanted`.
    """
    count = len(wanted)
    failures: list[MnistTasksError] = []
    refused: dict[str, MnistTasksError] = {}
    others: dict[str, str] = {}
    with temporary.folder(folder) as staging:
        try:
            for file, candidate in source.retrieve(wanted, staging, progress):
                digest = disk.sha256(candidate)
                other = datasets.of_sha256(digest)
                if digest == file.sha256 and file in wanted:
                    disk.move_in_place(candidate, folder / file.name)
                    wanted.remove(file)
                elif other is not None and other.info.name != dataset.info.name:
                    others[other.info.name] = other.info.title
                elif digest != file.sha256:
                    subject, size = f"{file.name} from {source.name}", candidate.stat().st_size
                    refused[file.name] = store.unverified(file, digest, subject, dataset, size=size)
        except MnistTasksError as error:
            failures.append(error)
    failures += [refused[file.name] for file in wanted if file.name in refused]
    if others and wanted:
        found = "; ".join(
            f"these are {title}'s files (use --dataset {name})" for name, title in others.items()
        )
        expected = f"the files of {dataset.info.title}"
        failures.append(
            InputRefusedError(source.name, expected=expected, found=found, reason="other-dataset")
        )
    if wanted and not failures:
        lacks = ", ".join(file.name for file in wanted)
        found = f"{count - len(wanted)} of {count} files; it lacks {lacks}"
        failures.append(InputRefusedError(source.name, found=found, reason="data-missing"))
    return failures


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


def _not_found(
    missing: Sequence[DataFile],
    dataset: Dataset,
    sources: Sequence[Source],
    failures: Sequence[MnistTasksError],
) -> MnistTasksError:
    """Return the error about missing files: a refusal if any file found was refused."""
    title = dataset.info.title
    was_refused = any(isinstance(error, InputRefusedError) for error in failures)
    kind = InputRefusedError if was_refused else EnvironmentProblemError
    found = "\n".join(f"- {error}" for error in failures)
    if len(sources) == 1 and isinstance(sources[0], Local):
        name = sources[0].name
        return kind(
            name,
            expected=f"the files of {title}: {', '.join(file.name for file in missing)}",
            found="\n".join(e.found if e.subject == name else str(e) for e in failures),
            remedy="Name a folder or file that has them. To download what it lacks, add "
            "`--source NAME` or `--mirror URL`.",
            reason=failures[-1].reason,
        )
    if dataset.origin is not None:
        return kind(
            dataset.info.name,
            expected="the files that its table in pyproject.toml names, as they were locked",
            found=found,
            remedy="Restore the files, or name another folder with --from or a mirror with "
            "--mirror.",
            reason=failures[-1].reason,
        )
    if not sources:
        is_offline = bool(dataset.mirrors or dataset.npm or dataset.debian)
        why = "the network is off" if is_offline else f"{title} has no mirror"
        found += f"\n- no source was allowed: the files are not cached, and {why}"
    network = "Fix the network" if sources else "Rerun without --offline"
    return kind(
        ", ".join(file.name for file in missing),
        expected=f"a source that has the original files of {title}",
        found=found.strip(),
        remedy=f"{network}, name a mirror with --mirror URL, or copy the files to a folder and run "
        f"`{dataset.fetch_command} --from FOLDER` (as {FORMATS}).",
    )
