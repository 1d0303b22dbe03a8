"""The model files that a command's arguments name: files, folders, and ``-`` for a list."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from mnist_tasks.errors import InputRefusedError
from mnist_tasks.vetting.read_file import EXTENSIONS, folder_kind
from mnist_tasks.vetting.untrusted_text import sanitize

_LONGEST_LIST = 16 * 1024**2  # bytes


def expand(arguments: Sequence[Path]) -> list[Path]:
    """Return the model files that arguments name, in their order.

    A folder stands for the model files in it and in its folders, sorted by path; hidden files and
    folders are left out. ``-`` stands for the files and folders listed on standard input, one per
    line, or separated by NUL.

    Raises
    ------
    InputRefusedError
        A folder contains no model file or can't be read, or the list is empty.
    """
    found: list[Path] = []
    for argument in arguments:
        for path in _listed() if str(argument) == "-" else [argument]:
            found += _in_folder(path) if _is_folder_of_models(path) else [path]
    return found


def _listed() -> list[Path]:
    data = sys.stdin.buffer.read(_LONGEST_LIST + 1) if sys.stdin else b""
    if len(data) > _LONGEST_LIST:
        _refuse("standard input", f"more than {_LONGEST_LIST:,} bytes")
    names = data.split(b"\0") if b"\0" in data else data.splitlines()
    paths = [Path(os.fsdecode(name)) for name in names if name]
    if not paths:
        _refuse("standard input", "an empty list")
    return paths


def _is_folder_of_models(path: Path) -> bool:
    """Whether it is a folder, but not one that is itself a model."""
    try:
        return path.is_dir() and folder_kind(path) is None
    except (OSError, ValueError):  # such as a name that is too long: reading it says so
        return False


def _in_folder(folder: Path) -> list[Path]:
    found = []
    for parent, folders, files in os.walk(folder, onerror=_refuse_unreadable):
        folders[:] = filter(_is_visible, folders)  # the others are not walked through
        found += [Path(parent, name) for name in filter(_is_visible, files) if _is_model(name)]
    if not found:
        _refuse(folder, f"a folder without {', '.join(EXTENSIONS)} files")
    return sorted(found)


def _is_visible(name: str) -> bool:
    return not name.startswith(".")


def _is_model(name: str) -> bool:
    return Path(name).suffix.lower() in EXTENSIONS


def _refuse_unreadable(error: OSError) -> NoReturn:
    _refuse(error.filename, error.strerror or str(error))


def _refuse(subject: Path | str, found: str) -> NoReturn:
    raise InputRefusedError(
        sanitize(str(subject), limit=200),
        expected="model files",
        found=found,
        remedy="Name model files, or a folder that contains some.",
        reason="no-model-files",
    )
