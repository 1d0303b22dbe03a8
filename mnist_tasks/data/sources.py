"""The sources of a data set: a folder or file, web servers, packages.

A source yields candidates; `fetching` verifies their hashes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from mnist_tasks.data import containers, datasets
from mnist_tasks.data.candidates import Candidate
from mnist_tasks.data.datasets import DataFile, Dataset
from mnist_tasks.data.download import RETRY_POLICY, Progress, RetryPolicy, download
from mnist_tasks.data.local import Local
from mnist_tasks.data.origin import Origin
from mnist_tasks.data.packages import Debian, Npm
from mnist_tasks.data.project_files import ProjectFiles
from mnist_tasks.errors import UsageError, printable, redact


class Source(Protocol):
    """A place that may have the data files."""

    @property
    def name(self) -> str:
        """Name of the source, for messages and ``--source``."""

    def retrieve(
        self, wanted: Sequence[DataFile], staging: Path, progress: Progress
    ) -> Iterator[Candidate]:
        """Write candidates for the wanted files to the staging folder, one by one.

        Parameters
        ----------
        wanted
            The caller removes files from it as candidates prove right.

        Raises
        ------
        EnvironmentProblemError
            The source can't be reached.
        InputRefusedError
            What it has is not the data.
        """


@dataclass(frozen=True)
class Mirror:
    """A web server that has the four gzipped IDX files, or one file with all of them.

    Attributes
    ----------
    url
        Address of the folder of the four files, which ends in ``/``, or of one file.
    """

    name: str
    url: str
    policy: RetryPolicy = RETRY_POLICY

    def retrieve(
        self, wanted: Sequence[DataFile], staging: Path, progress: Progress
    ) -> Iterator[Candidate]:
        """Download each container and unpack it."""
        parts: list[tuple[str, Sequence[DataFile]]]
        if self.url.endswith("/"):
            parts = [(f"{self.url}{file.name}.gz", [file]) for file in wanted]
        else:
            parts = [(self.url, wanted)]
        for url, files in parts:
            container = staging / "download"
            progress.begin(f"{redact(url).rpartition('/')[2]} from {self.name}")
            download(url, container, policy=self.policy, progress=progress)
            yield from containers.unpack(container, files, staging, origin=redact(url))


def choose(
    dataset: Dataset | None = None,
    *,
    local: Path | None = None,
    mirror: str | None = None,
    name: str | None = None,
    offline: bool = False,
    policy: RetryPolicy = RETRY_POLICY,
) -> tuple[Source, ...]:
    """Return the sources to try, in this order.

    Parameters
    ----------
    dataset
        The data set, MNIST by default, which has known sources.
    local
        Folder or file to take the data from; nothing is downloaded unless `mirror` or `name` is
        given, too.
    mirror
        Address of a mirror to use in place of the known sources.
    name
        The only known source to use.
    offline
        Whether to forbid the use of the network.
    policy
        Time limits and retries of downloads.

    Raises
    ------
    UsageError
        The name or the mirror's address is not valid, or two options contradict each other.
    InputRefusedError
        The path `local` does not exist.
    """
    known = _known(dataset or datasets.default(), policy)
    names = tuple(source.name for source in known)
    if name is not None and name not in names:
        expected = f"one of {', '.join(names)}" if names else "no --source: this data set has none"
        raise UsageError("--source", expected=expected, found=printable(name))
    _require_address(mirror)
    if name is not None and (mirror is not None or offline):
        raise UsageError(
            "--source",
            expected="--source without --mirror or --offline",
            found=f"--source {name} with {'--offline' if offline else '--mirror'}",
        )
    if dataset is not None and dataset.origin is not None and not name:
        return choose_own(
            dataset.origin, local=local, mirror=mirror, offline=offline, policy=policy
        )
    first: tuple[Source, ...] = (Local(local),) if local else ()
    if mirror and not offline:
        return (*first, Mirror("mirror", mirror, policy))
    if offline or (first and name is None):
        return first
    return (*first, *(source for source in known if name in (None, source.name)))


def choose_own(
    origin: Origin,
    *,
    local: Path | None = None,
    mirror: str | None = None,
    offline: bool = False,
    policy: RetryPolicy = RETRY_POLICY,
) -> tuple[ProjectFiles, ...]:
    """Return where the files of a project's own data set may be: in a folder, and on its mirrors.

    A folder without any of the files is left out if there is a mirror.

    Parameters
    ----------
    local
        The folder; by default that of the ``pyproject.toml``.
    mirror
        Address of a mirror to try before the table's.
    offline, policy
        As in `choose`.

    Raises
    ------
    UsageError
        The mirror's address is not valid.
    """
    _require_address(mirror)
    folder = local or origin.folder
    here = ProjectFiles(origin, folder, str(folder), policy)
    named = {"mirror": mirror} if mirror else {}
    known = {f"mirror-{number}": each for number, each in enumerate(origin.mirrors, 1)}
    mirrors = [
        ProjectFiles(origin, address, name, policy)
        for name, address in ({} if offline else named | known).items()
    ]
    return tuple(mirrors) if mirrors and not here.exists() else (here, *mirrors)


def _require_address(mirror: str | None) -> None:
    if mirror is not None and not mirror.startswith(("http://", "https://")):
        raise UsageError(
            "--mirror", expected="an http:// or https:// address", found=printable(redact(mirror))
        )


def _known(dataset: Dataset, policy: RetryPolicy) -> tuple[Source, ...]:
    mirrors = tuple(Mirror(name, url, policy) for name, url in dataset.mirrors.items())
    npm = (Npm(dataset.npm),) if dataset.npm else ()
    debian = (Debian(dataset.debian),) if dataset.debian else ()
    return (*mirrors, *npm, *debian)
