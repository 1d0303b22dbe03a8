"""Where an exported model goes: what may be replaced there, and how."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from mnist_tasks import disk, temporary
from mnist_tasks.errors import UsageError, printable
from mnist_tasks.exporting.results import CARD_FILE

REMEDY = "Name another file with --output."
_OTHER_FOLDER = "Name another folder with --output."


def require(output: Path, *, inputs: Sequence[Path], is_folder: bool) -> None:
    """Refuse an output that can't be written or must not be replaced, before there is work to lose.

    A file is replaced, and of folders only an empty one or one that was exported.

    Raises
    ------
    UsageError
        Something else is there, or it is an input.
    EnvironmentProblemError
        The folder that it is in can't be written.
    """
    found = _folder_obstacle(output) if is_folder else disk.obstacle(output)
    if not found:
        same = (each for each in inputs if os.path.realpath(each) == os.path.realpath(output))
        found = next((f"the input {each}" for each in same), "")
    if found:
        raise UsageError(
            "--output",
            expected="a folder that is new or was exported" if is_folder else "a file of its own",
            found=f"{printable(str(output))}: {found}",
            remedy=_OTHER_FOLDER if is_folder else REMEDY,
            reason="would-overwrite" if is_folder else None,
        )
    if is_folder:
        disk.require_writable(output.parent, remedy=_OTHER_FOLDER)
    else:
        disk.require_output(output, remedy=REMEDY)


def _folder_obstacle(output: Path) -> str:
    try:
        status = output.lstat()
        if not stat.S_ISDIR(status.st_mode):
            return "a link" if stat.S_ISLNK(status.st_mode) else "no folder"
        is_own = (output / CARD_FILE).is_file() or not any(output.iterdir())
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:  # a ValueError: a null character
        return getattr(error, "strerror", None) or str(error)
    return "" if is_own else "a folder that was not exported"


def write_file(content: bytes, output: Path) -> None:
    """Write a file, completely or not at all.

    Raises
    ------
    EnvironmentProblemError
        It can't be written; a file that is there stays.
    """
    with disk.writable(output.parent, remedy=REMEDY):
        disk.write(output, content)


def write_folder(source: Path, output: Path) -> None:
    """Copy a folder, and move the copy in place, completely or not at all.

    Raises
    ------
    EnvironmentProblemError
        It can't be written; a folder that is there stays.
    """
    with (
        disk.writable(output.parent, remedy=_OTHER_FOLDER),
        temporary.folder(output.parent) as staging,
    ):
        new, old = staging / "new", staging / "old"
        shutil.copytree(source, new)
        for path in new.rglob("*"):
            if path.is_file():
                with path.open("rb+") as file:
                    os.fsync(file.fileno())
        if not output.exists():
            new.rename(output)
            return
        output.rename(old)
        try:
            new.rename(output)
        except BaseException:
            with suppress(OSError):
                old.rename(output)
            raise
