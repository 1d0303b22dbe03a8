"""A file or folder of the user's as a source."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from mnist_tasks.data import containers
from mnist_tasks.data.candidates import Candidate
from mnist_tasks.data.datasets import DataFile
from mnist_tasks.data.download import Progress
from mnist_tasks.errors import InputRefusedError, MnistTasksError, Reason

DEEPEST = 4  # levels of subfolders: torchvision writes to MNIST/raw
MOST_FILES = 10_000
MOST_PROBLEMS = 10  # shown


@dataclass(frozen=True)
class Local:
    """A file, or the files of a folder and its subfolders, that the user named.

    Raises
    ------
    InputRefusedError
        There is no such file or folder.
    """

    path: Path

    def __post_init__(self) -> None:
        reason: Reason | None = None
        try:
            mode = self.path.stat().st_mode
            is_usable = stat.S_ISDIR(mode) or stat.S_ISREG(mode)
            found = "" if is_usable else "a pipe, socket or device"
        except FileNotFoundError:
            found, reason = "no such file", "file-missing"
        except (OSError, ValueError) as error:
            found = getattr(error, "strerror", None) or str(error)
        if found:
            raise InputRefusedError(
                str(self.path),
                expected="a folder or file with the data",
                found=found,
                reason=reason,
            )

    @property
    def name(self) -> str:
        """The path as the user typed it."""
        return str(self.path)

    def retrieve(
        self, wanted: Sequence[DataFile], staging: Path, progress: Progress
    ) -> Iterator[Candidate]:
        """Unpack each file that looks like a container; a bad one does not spoil the others."""
        if not self.path.is_dir():
            progress.note(f"reading {self.path}")
            yield from containers.unpack(self.path, wanted, staging, origin=str(self.path))
            return
        problems: list[str] = []
        is_empty = True
        for path in _files(self.path, problems):
            if not wanted:
                return
            try:
                if not containers.looks_like_data(path):
                    continue
                is_empty = False
                progress.note(f"reading {path}")
                yield from containers.unpack(path, wanted, staging, origin=str(path))
            except MnistTasksError as error:
                problems.append(str(error))
        if is_empty and not problems:
            problems.append(f"a folder without {containers.FORMATS}")
        if problems and wanted:
            shown = problems[:MOST_PROBLEMS]
            if more := len(problems) - len(shown):
                shown.append(f"{more:,} more")
            raise InputRefusedError(
                self.name, expected="a folder with the data", found="\n".join(shown)
            )


def _files(folder: Path, problems: list[str]) -> Iterator[Path]:
    """Yield the regular files of a folder, then those of its subfolders, and so on.

    Hidden ones are left out: they are caches, and our own temporary files.
    """
    level, count, seen = [folder], 0, set[tuple[int, int]]()
    for _ in range(DEEPEST + 1):
        below: list[Path] = []
        for each in level:
            try:
                status = each.stat()
                with os.scandir(each) as entries:
                    paths = sorted(Path(entry) for entry in islice(entries, MOST_FILES - count + 1))
            except OSError as error:
                problems.append(f"{each}: {error.strerror or error}")
                continue
            if (status.st_dev, status.st_ino) in seen:  # a link leads here
                continue
            seen.add((status.st_dev, status.st_ino))
            count += len(paths)
            for path in paths:
                if path.name.startswith("."):
                    continue
                # `Path.is_dir` raises where a link leads to a name that is too long.
                if os.path.isdir(path):  # noqa: PTH112
                    below.append(path)
                elif os.path.isfile(path):  # noqa: PTH113
                    yield path
            if count > MOST_FILES:
                problems.append(f"{folder}: more than {MOST_FILES:,} files; name a smaller folder")
                return
        level = below
