"""The files that a new project starts with."""

from __future__ import annotations

import os
from pathlib import Path

from mnist_tasks import disk, install
from mnist_tasks.errors import UsageError

# Each file of the starter, and its template beside this module.
TEMPLATES = {
    "README.md": "README.md",
    "pyproject.toml": "pyproject.toml",
    "net.py": "net.py",
    "tasks.py": "tasks.py",
    "noxfile.py": "noxfile.py",
    ".github/workflows/ci.yml": "ci.yml",
    ".gitignore": "gitignore",
}
_PACKAGE = b'"mnist-tasks"'  # in pyproject.toml
_FILES = Path(__file__).parent / "files"


def create(folder: Path) -> tuple[Path, ...]:
    """Write the starter into a folder, which is created if it is missing, and return its files.

    It requires this package from where the installed copy came from.

    Raises
    ------
    UsageError
        One of the files exists; then nothing is written.
    EnvironmentProblemError
        The folder can't be written; then no file is left in it.
    """
    if there := [name for name in TEMPLATES if os.path.lexists(folder / name)]:
        raise UsageError(
            str(folder),
            expected="a folder without the files of the starter, which overwrites nothing",
            found=", ".join(there),
            remedy="Name a new folder: `mnist-tasks init digits`. A project that you have needs no "
            "more than the tables [tool.mnist-tasks] of pyproject.toml, net.py and tasks.py.",
        )
    written = tuple(folder / name for name in TEMPLATES)
    package = f'"{install.requirement()}"'.encode()
    begun: list[Path] = []
    try:
        with disk.writable(folder, remedy="Name another folder: `mnist-tasks init FOLDER`."):
            for path, template in zip(written, TEMPLATES.values(), strict=True):
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("xb") as file:
                    begun.append(path)
                    file.write((_FILES / template).read_bytes().replace(_PACKAGE, package))
    except BaseException:
        for path in begun:  # a second try would find them in its way
            path.unlink(missing_ok=True)
        raise
    return written
