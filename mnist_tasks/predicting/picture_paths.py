"""The pictures that a command's arguments name: files, and folders of them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from mnist_tasks.predicting.pictures import refusal

EXTENSIONS = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp")
MOST_PICTURES = 10_000


def expand(arguments: Iterable[Path]) -> list[Path]:
    """Return the pictures that arguments name, in their order.

    A folder stands for the pictures in it and in its folders, by their extensions, sorted by path;
    hidden files and folders are left out.

    Raises
    ------
    InputRefusedError
        A folder contains no picture or can't be read, or there are too many pictures.
    """
    found: list[Path] = []
    for path in arguments:
        found += _in_folder(path) if _is_folder(path) else [path]
    if len(found) > MOST_PICTURES:
        expected = f"at most {MOST_PICTURES:,} pictures"
        raise refusal("predict", f"{len(found):,} pictures", expected=expected)
    return found


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):  # such as a name that is too long: reading it says so
        return False


def _in_folder(folder: Path) -> list[Path]:
    def refuse(error: OSError) -> None:
        raise refusal(str(error.filename), error.strerror or str(error), expected="pictures")

    found = []
    for parent, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [
            Path(parent, name)
            for name in files
            if not name.startswith(".") and Path(name).suffix.lower() in EXTENSIONS
        ]
    if not found:
        without = f"a folder without {', '.join(EXTENSIONS)} files"
        raise refusal(str(folder), without, expected="pictures")
    return sorted(found)
