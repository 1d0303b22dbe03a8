"""Write to disk so that a crash leaves the old file or the new one, and never half of one."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mnist_tasks.errors import EnvironmentProblemError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def writable(folder: Path, *, remedy: str) -> Iterator[None]:
    """Make a folder, and turn the system's refusal to write there into an error that says so.

    Raises
    ------
    EnvironmentProblemError
        The folder can't be made or written, or the disk is full.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise EnvironmentProblemError(
            str(error.filename2 or error.filename or folder),
            expected="a folder that can be written, with room on its disk",
            found=error.strerror or str(error),
            remedy=remedy,
        ) from error


def try_writing(folder: Path, *, remedy: str) -> None:
    """Find out whether a folder can be written, before hours of work depend on it.

    Raises
    ------
    EnvironmentProblemError
        It can't.
    """
    with writable(folder, remedy=remedy), tempfile.TemporaryFile(dir=folder):
        pass


def require_room(folder: Path, size: int, *, remedy: str) -> None:
    """Find out whether a folder's disk has room for so many bytes.

    Raises
    ------
    EnvironmentProblemError
        It has not, or there is no such folder.
    """
    with writable(folder, remedy=remedy):
        free = shutil.disk_usage(folder).free
    if free < size:
        raise EnvironmentProblemError(
            str(folder),
            expected=f"room for {size:,} bytes on its disk",
            found=f"{free:,} bytes",
            remedy=remedy,
        )


@contextmanager
def replacing(target: Path, *, staging: Path | None = None) -> Iterator[Path]:
    """Yield a temporary path, and move it in place when all went well.

    The temporary name ends as the target's does, since writers choose a format by it.

    Parameters
    ----------
    staging
        A folder on the target's disk that somebody clears after a kill; else that of the target.
    """
    place = staging or target.parent
    handle, name = tempfile.mkstemp(prefix=".", suffix=target.suffix, dir=place)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(_default_mode())
        move_in_place(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def write(target: Path, content: bytes, *, staging: Path | None = None) -> None:
    """Write a whole file, or leave the old one; `staging` is as in `replacing`."""
    with replacing(target, staging=staging) as temporary:
        temporary.write_bytes(content)


def move_in_place(source: Path, target: Path) -> None:
    """Flush a file to the disk and give it its name."""
    with source.open("rb+") as file:
        os.fsync(file.fileno())
    source.replace(target)


@contextmanager
def locked(folder: Path, *, timeout: float, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold a folder's lock, which one process has at a time.

    Raises
    ------
    EnvironmentProblemError
        Another process has held it for `timeout` seconds.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        on_wait()
        try:
            lock.acquire(timeout=timeout)
        except Timeout as error:
            raise EnvironmentProblemError(
                str(folder),
                found=f"another process has held the folder for {timeout:g} s",
                remedy="End it, or wait for it, and try again.",
            ) from error
    try:
        yield
    finally:
        lock.release()


def sha256(path: Path) -> str:
    """Return a file's SHA-256 as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _default_mode() -> int:
    """Return the mode of a new file; only setting the process's mask tells what it is."""
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
