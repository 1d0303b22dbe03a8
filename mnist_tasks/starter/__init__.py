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
    package = f'"{install.requirement()}"'.encode()
    contents = {
        name: (_FILES / template).read_bytes().replace(_PACKAGE, package)
        for name, template in TEMPLATES.items()
    }
    there = [name for name in TEMPLATES if os.path.lexists(folder / name)]
    # A part of them, unchanged, is what a killed `init` has left.
    is_part = len(there) < len(contents) and all(
        _is_unchanged(folder / name, contents[name]) for name in there
    )
    if there and not is_part:
        raise UsageError(
            str(folder),
            expected="a folder without the files of the starter, which overwrites nothing",
            found=", ".join(there),
            remedy="Name a new folder: `mnist-tasks init digits`. A project that you have needs no "
            "more than the tables [tool.mnist-tasks] of pyproject.toml, net.py and tasks.py.",
        )
    begun: list[Path] = []
    try:
        with disk.writable(folder, remedy="Name another folder: `mnist-tasks init FOLDER`."):
            for name in contents.keys() - set(there):
                path = folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                begun.append(path)
                disk.write(path, contents[name])
    except BaseException:
        for path in begun:  # a second try would find them in its way
            path.unlink(missing_ok=True)
        raise
    return tuple(folder / name for name in TEMPLATES)


def _is_unchanged(path: Path, content: bytes) -> bool:
    try:
        return not path.is_symlink() and disk.read_regular(path) == content
    except OSError:
        return False
