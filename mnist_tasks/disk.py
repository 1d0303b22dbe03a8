"""Write files atomically, and read files that may be anything.

A crash leaves the old file or the new one, never a partial file.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mnist_tasks.errors import EnvironmentProblemError

LARGEST_TEXT = 4_000_000  # bytes of a record, of which real ones need less than 100,000


@contextmanager
def writable(folder: Path, *, remedy: str) -> Iterator[None]:
    """Create a folder; raise `EnvironmentProblemError` if the block can't write there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise EnvironmentProblemError(
            str(error.filename2 or error.filename or folder),
            expected="a writable folder on a disk with free space",
            found=error.strerror or str(error),
            remedy=remedy,
        ) from error


def require_writable(folder: Path, *, remedy: str) -> None:
    """Raise `EnvironmentProblemError` unless a folder can be written, before work depends on it."""
    with writable(folder, remedy=remedy), tempfile.TemporaryFile(dir=folder):
        pass


def require_room(folder: Path, size: int, *, remedy: str) -> None:
    """Raise `EnvironmentProblemError` unless the disk of a folder has `size` bytes free."""
    with writable(folder, remedy=remedy):
        free = shutil.disk_usage(folder).free
    if free < size:
        raise EnvironmentProblemError(
            str(folder),
            expected=f"{size:,} bytes of free space on its disk",
            found=f"{free:,} bytes",
            remedy=remedy,
        )


@contextmanager
def replacing(target: Path, *, staging: Path | None = None) -> Iterator[Path]:
    """Yield a temporary path, and move the file into place unless the block raises.

    The temporary name has the target's suffix, from which writers choose the format.

    Parameters
    ----------
    staging
        Folder of the temporary file, on the disk of the target; by default the target's folder.
        A caller that may be killed cleans up its own.
    """
    place = staging or target.parent
    try:
        handle, name = tempfile.mkstemp(prefix=".", suffix=target.suffix, dir=place)
    except OSError as error:
        error.filename = str(target)  # the temporary name means nothing to the user
        raise
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(_default_mode())
        move_in_place(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def write(target: Path, content: bytes, *, staging: Path | None = None) -> None:
    """Write a file as `replacing` does."""
    with replacing(target, staging=staging) as temporary:
        temporary.write_bytes(content)


def require_replaceable(target: Path) -> None:
    """Raise `OSError` if a device or a pipe is there: root could replace even ``/dev/null``."""
    with suppress(FileNotFoundError):
        mode = target.stat().st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            raise OSError(errno.EINVAL, "a pipe, socket or device", str(target))


def read_regular(path: Path, *, limit: int = LARGEST_TEXT) -> bytes:
    """Return the content of a regular file of at most `limit` bytes.

    Files from outside are read with this function: a pipe or a device may never end.

    Raises
    ------
    OSError
        The file can't be read, is not a regular file, or is larger (``EFBIG``).
    """
    # Without O_NONBLOCK, opening a FIFO waits for a writer forever.
    flags = os.O_RDONLY
    for name in ("O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC", "O_BINARY"):
        flags |= getattr(os, name, 0)
    try:
        require_regular(path)  # merely opening some devices has an effect
        descriptor = os.open(path, flags)
    except ValueError as error:  # a null character in the path
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)) from error
    # From here on only the descriptor is used: the path may lead to another file by now.
    try:
        status = os.fstat(descriptor)
        _require_regular(status)
        size, content = status.st_size, b""
        if size <= limit:
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                # Files of the kernel can return nothing yet, or have more than their size.
                content = file.read(limit + 1) or b""
    finally:
        os.close(descriptor)
    if max(size, len(content)) > limit:
        raise OSError(errno.EFBIG, f"{max(size, len(content)):,} bytes")
    return content


def require_regular(path: Path) -> None:
    """Raise `OSError` unless a regular file is there: opening a pipe waits for a writer."""
    _require_regular(path.stat())


def _require_regular(status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, "a folder")
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "a pipe, socket or device")


def move_in_place(source: Path, target: Path) -> None:
    """Flush a file to the disk and rename it."""
    with source.open("rb+") as file:
        os.fsync(file.fileno())
    source.replace(target)


@contextmanager
def locked(folder: Path, *, timeout: float, on_wait: Callable[[], None]) -> Iterator[None]:
    """Lock a folder against other processes.

    If another process holds it, call `on_wait` once, and raise `EnvironmentProblemError` after
    `timeout` seconds.
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
                found=f"another process has locked the folder for {timeout:g} s",
                remedy="End that process or wait for it, then rerun.",
            ) from error
    try:
        yield
    finally:
        lock.release()


def sha256(path: Path) -> str:
    """Return a regular file's SHA-256 as 64 hexadecimal digits; raise `OSError` for any other."""
    require_regular(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def size(folder: Path) -> int:
    """Return the bytes of the files in a folder and its folders; links are not followed."""
    total = 0
    for parent, _, files in os.walk(folder):
        for name in files:
            with suppress(OSError):  # it is being replaced
                total += os.lstat(f"{parent}/{name}").st_size
    return total


def _default_mode() -> int:
    """Return the mode of a new file. The umask can be read only by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
