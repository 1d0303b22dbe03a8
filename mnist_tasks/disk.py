"""Write files atomically, and read files that may be anything.

A crash leaves the old file or the new one, never a partial file.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from mnist_tasks import temporary
from mnist_tasks.errors import EnvironmentProblemError

_NO_ROOM = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
_PAUSES = (0.01, 0.05, 0.2, 0.7)  # seconds
LARGEST_TEXT = 4_000_000  # bytes of a record, of which real ones need less than 100,000


@contextmanager
def writable(folder: Path, *, remedy: str) -> Iterator[None]:
    """Create a folder; raise `EnvironmentProblemError` if the block can't write there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        path = Path(error.filename2 or error.filename or folder)
        expected = "a writable folder on a disk with free space"
        found = error.strerror or str(error)
        if isinstance(error, FileExistsError):
            is_dangling = path.is_symlink() and not path.exists()
            expected, found = "a folder", "a link to nothing" if is_dangling else "a file"
        elif isinstance(error, NotADirectoryError):
            expected, found = "a folder", "a path that leads through a file"
        raise EnvironmentProblemError(
            str(path), expected=expected, found=found, remedy=remedy
        ) from error


def require_writable(folder: Path, *, remedy: str) -> None:
    """Raise `EnvironmentProblemError` unless a folder can be written, before work depends on it."""
    with writable(folder, remedy=remedy), temporary.unnamed(folder):
        pass


@contextmanager
def reserved(folder: Path, size: int, *, remedy: str) -> Iterator[None]:
    """Keep `size` bytes of a folder's disk during the block, to write a file right after it.

    Raises
    ------
    EnvironmentProblemError
        There is less room, or no file of that size is allowed.
    """
    with ExitStack() as stack:
        with writable(folder, remedy=remedy):
            file = stack.enter_context(temporary.unnamed(folder))
            try:
                _allocate(file.fileno(), folder, size)
            except OSError as error:
                raise _failed(error, folder, size) from error
        yield


def _allocate(descriptor: int, folder: Path, size: int) -> None:
    try:
        os.posix_fallocate(descriptor, 0, size)
    except AttributeError:  # macOS and Windows have none
        free = shutil.disk_usage(folder).free
        if free < size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from None
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):
            raise


def _failed(error: OSError, path: Path, size: int) -> OSError:
    """Return the error about `size` bytes that can't be written to a path."""
    reason = os.strerror(error.errno) if error.errno else str(error)
    if error.errno in _NO_ROOM:
        reason += f" ({size:,} bytes needed)"
    return OSError(error.errno, reason, str(path))


def write(target: Path, content: bytes, *, staging: Path | None = None) -> None:
    """Write a file to a temporary name, and move it into place once it is complete.

    As with any other program, a symbolic link is written through, and a file keeps its permissions.

    Parameters
    ----------
    staging
        Folder of the temporary file, on the disk of the target; by default the target's folder, and
        for a link always that of the file it leads to.

    Raises
    ------
    OSError
        It can't be written; the error names the target. A file that is there is not changed.
    """
    place = destination(target)
    folder = staging if staging and place == target else place.parent
    try:
        with temporary.file(folder) as (file, path):
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            mode = default_mode()
            with suppress(FileNotFoundError):
                mode = place.stat().st_mode & 0o777
            path.chmod(mode)
            if not temporary.HAS_LOCKS:
                file.close()
            _replace(path, place)
    except OSError as error:
        raise _failed(error, target, len(content)) from error  # not its temporary name


def append(target: Path, content: bytes) -> None:
    """Append to a file of other programs, which stays where it is.

    Raises
    ------
    OSError
        It can't be written; the error names the target, which is not changed.
    """
    with target.open("ab", buffering=0) as file:
        size = file.seek(0, os.SEEK_END)
        rest = memoryview(content)
        try:
            while rest:  # a disk that is nearly full takes a part
                rest = rest[file.write(rest) :]
        except OSError as error:
            file.truncate(size)
            raise _failed(error, target, len(content)) from error


def _replace(source: Path, target: Path) -> None:
    """Rename a file. On Windows, wait a little until others, such as a scanner, have closed it."""
    for seconds in _PAUSES if os.name == "nt" else ():
        with suppress(PermissionError):
            source.replace(target)
            return
        time.sleep(seconds)
    source.replace(target)


def require_output(path: Path, *, remedy: str) -> None:
    """Raise `EnvironmentProblemError` unless a file can be written, before work depends on it."""
    with writable(path.parent, remedy=remedy):
        folder = destination(path).parent
    require_writable(folder, remedy=remedy)


def obstacle(path: Path) -> str:
    """Return what is in the place of a file that can be written, or ``""``.

    A missing file and a link to one are no obstacles; problems of the folder show when it is
    written.
    """
    try:
        status = path.stat()
    except (OSError, ValueError) as error:  # a ValueError: a null character
        code = getattr(error, "errno", None)
        if code in (errno.ELOOP, errno.ENAMETOOLONG, None):
            return getattr(error, "strerror", None) or str(error)
        return ""
    if stat.S_ISDIR(status.st_mode):
        return "a folder"
    if not stat.S_ISREG(status.st_mode):
        return "a pipe, socket or device"
    for number in (1, 2):  # /dev/stdout may be a file
        with suppress(OSError):
            if os.path.samestat(status, os.fstat(number)):
                return "where this process prints"
    return ""


def destination(target: Path) -> Path:
    """Return the file that a write changes: a link stays, and what it leads to is written.

    A device or a pipe is an `OSError`: root could replace even ``/dev/null``.
    """
    if found := obstacle(target):
        raise OSError(errno.EINVAL, found, str(target))
    return Path(os.path.realpath(target)) if target.is_symlink() else target


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
                content = file.read(size + 1) or b""  # files of the kernel can return nothing yet
                if len(content) > size:  # nor is their size that of their content
                    content += file.read(limit + 1 - len(content)) or b""
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
    _replace(source, target)


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


def default_mode(wanted: int = 0o666) -> int:
    """Return the mode of a new file or, from 0o777, of a new folder."""
    os.umask(mask := os.umask(0))  # it can be read only by setting it
    return wanted & ~mask
