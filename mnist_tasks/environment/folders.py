"""The folders that the workflow writes to, and the room on their disks. Nothing is left behind."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mnist_tasks.environment.diagnosis import Finding

if TYPE_CHECKING:
    from pathlib import Path

    from mnist_tasks.environment.diagnosis import Status

MIB, GIB = 1 << 20, 1 << 30
LITTLE_ROOM = 256 * MIB
TOO_LITTLE_ROOM = 8 * MIB  # a model, its record and its page take less than one


@dataclass(frozen=True, kw_only=True)
class Folder:
    """A folder, which may not exist yet; then all is said of the nearest one above it.

    Attributes
    ----------
    free
        Bytes that are free on its disk.
    why_not
        Why nothing can be written there.
    """

    path: Path
    exists: bool
    free: int | None
    why_not: str | None


def look(path: Path) -> Folder:
    """Try to write a file without a name where the folder is, or would be made."""
    nearest, free, why_not = path, None, None
    try:
        path = path.absolute()  # fails where the current folder is gone
        nearest = next(folder for folder in (path, *path.parents) if folder.exists())
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError as error:
        is_file = nearest.is_file()
        why_not = f"{nearest} is no folder" if is_file else error.strerror or str(error)
    with suppress(OSError):
        free = shutil.disk_usage(nearest).free
    return Folder(path=path, exists=nearest == path, free=free, why_not=why_not)


def finding(name: str, folder: Folder, *, option: str | None, must: bool = True) -> Finding:
    """Say whether a folder can be written, and how much room there is.

    Parameters
    ----------
    option
        What names another folder.
    must
        Whether the workflow has to write there.
    """
    other = f"with {option}" if option else "by starting there"
    remedy = f"Mend its owner or its mode, or take another folder {other}."
    room = "" if folder.free is None else f"; {size(folder.free)} free"
    parts = [str(folder.path)] + ([] if folder.exists else ["is made when needed"])
    status: Status = "ok"
    if folder.why_not and must:
        status = "fault"
        parts = [f"{folder.path}: it can't be written: {folder.why_not}"]
    elif folder.why_not:
        parts.append("can't be written and need not be")
    elif folder.free is not None and folder.free < LITTLE_ROOM and must:
        status = "fault" if folder.free < TOO_LITTLE_ROOM else "warning"
        remedy = f"Make room on its disk, or take another folder {other}."
    return Finding(
        topic="disk",
        name=name,
        status=status,
        found=", ".join(parts) + room,
        remedy=None if status == "ok" else remedy,
        facts={
            "path": str(folder.path),
            "exists": folder.exists,
            "free": folder.free,
            "writable": folder.why_not is None,
            "why_not": folder.why_not,
        },
    )


def size(count: int) -> str:
    """Return a number of bytes in the unit that suits it."""
    return f"{count / GIB:,.1f} GiB" if count >= GIB else f"{count / MIB:,.0f} MiB"
