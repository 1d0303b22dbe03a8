"""Temporary files and folders, and the removal of those that killed processes left.

The process that makes one locks it for as long as it needs it. What nobody locks has been left, and
the next process that makes a temporary file in the same folder removes it. On a shared disk, the
locks of another machine may not be visible: what it made is left there for a week.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import socket
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from mnist_tasks.errors import EnvironmentProblemError

if sys.platform != "win32":
    import fcntl

HOST = hashlib.sha256(socket.gethostname().encode()).hexdigest()[:6]
PREFIX = f".mnist-tasks-{HOST}-"
_NAME = re.compile(r"\.mnist-tasks-([0-9a-f]{6})-[a-z0-9_]{8}")
OLD_SECONDS = 7 * 24 * 3600.0
# Windows renames no file that is open, and has no locks that end with the process.
HAS_LOCKS = sys.platform != "win32"


@contextlib.contextmanager
def file(parent: Path) -> Iterator[tuple[IO[bytes], Path]]:
    """Create a file in a folder; remove it after the block, unless it was renamed."""
    clear(parent)
    while True:
        with contextlib.ExitStack() as stack:
            descriptor, name = tempfile.mkstemp(prefix=PREFIX, dir=parent)
            path = Path(name)
            stack.callback(path.unlink, missing_ok=True)
            opened = stack.enter_context(os.fdopen(descriptor, "wb"))
            if _lock(descriptor, path):
                yield opened, path
                return


def unnamed(parent: Path) -> IO[bytes]:
    """Create a file without a name in a folder; it is gone once it is closed.

    Raises
    ------
    OSError
        It can't be created there; the error names the folder.
    """
    with _naming(parent):
        return tempfile.TemporaryFile(dir=parent)


@contextlib.contextmanager
def folder(parent: Path | None = None) -> Iterator[Path]:
    """Create a folder that only this user can read, and remove it with everything in it.

    By default it lies in ``$TMPDIR``, if that is set, or else in the system's temporary folder.

    Raises
    ------
    EnvironmentProblemError
        It can't be created there.
    OSError
        It can't be created in `parent`.
    """
    with contextlib.ExitStack() as stack:
        if parent is None:
            with usable():
                # Unlike `tempfile`, don't pass over a TMPDIR that can't be used.
                system = Path(os.environ.get("TMPDIR") or tempfile.gettempdir()).absolute()
                path = stack.enter_context(_folder(system))
        else:
            path = stack.enter_context(_folder(parent))
        yield path


@contextlib.contextmanager
def usable() -> Iterator[None]:
    """Raise `EnvironmentProblemError` if the block can't write to the system's folder."""
    try:
        yield
    except OSError as error:
        raise _unusable(
            expected="a writable folder on a disk with free space",
            found=error.strerror or str(error),
            remedy="Free some space there, or set TMPDIR to another folder.",
        ) from error


def require_utf8(folder: Path) -> None:
    """Raise `EnvironmentProblemError` if TensorFlow can't use a folder: its paths are UTF-8."""
    try:
        str(folder).encode()
    except UnicodeEncodeError as error:
        raise _unusable(
            expected="a path in UTF-8, since TensorFlow takes no other",
            found="another encoding",
            remedy="Set TMPDIR to another folder.",
        ) from error


def _unusable(*, expected: str, found: str, remedy: str) -> EnvironmentProblemError:
    named = os.environ.get("TMPDIR")
    with contextlib.suppress(OSError):
        named = named or tempfile.gettempdir()
    return EnvironmentProblemError(
        named or "temporary folder",
        expected=expected,
        found=found,
        remedy=remedy,
        reason="temporary-folder-unusable",
    )


def clear(parent: Path) -> None:
    """Remove what processes of this user have left in a folder that can no longer do it."""
    with contextlib.suppress(OSError), os.scandir(parent) as entries:
        for match in list(filter(None, (_NAME.fullmatch(entry.name) for entry in entries))):
            with contextlib.suppress(OSError):
                _remove_if_left(parent / match[0], made_here=match[1] == HOST)


def remove(path: Path) -> None:
    """Remove a file or folder, also if what ran in it took away its own permissions."""
    with contextlib.suppress(OSError, RecursionError):
        if not stat.S_ISDIR(path.lstat().st_mode):
            path.unlink()
            return
        path.chmod(0o700)
        for parent, names, _ in os.walk(path):
            for name in names:
                inner = Path(parent, name)
                if not inner.is_symlink():
                    inner.chmod(0o700)
        shutil.rmtree(path)


def _remove_if_left(path: Path, *, made_here: bool) -> None:
    status = path.lstat()
    is_folder = stat.S_ISDIR(status.st_mode)
    if not is_folder and not stat.S_ISREG(status.st_mode):
        return
    if hasattr(os, "geteuid") and status.st_uid != os.geteuid():
        return
    is_old = time.time() - status.st_mtime > OLD_SECONDS
    if not HAS_LOCKS:
        if is_old:
            remove(path)
        return
    if is_folder:
        path.chmod(0o700)  # a process may have taken away its own permission
    # A file must be open for writing to be locked on a network disk.
    flags = os.O_RDONLY if is_folder else os.O_RDWR
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return  # its owner lives
        except OSError:  # this file system has no locks, or none of folders
            made_here = False
        if made_here or is_old:
            remove(path)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _naming(parent: Path) -> Iterator[None]:
    """Name a folder in errors of the block, in place of the file that it makes there."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(parent)) from error


@contextlib.contextmanager
def _folder(parent: Path) -> Iterator[Path]:
    clear(parent)
    while True:
        with contextlib.ExitStack() as stack:
            with _naming(parent):
                path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
            stack.callback(remove, path)
            if HAS_LOCKS:
                try:
                    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
                except FileNotFoundError:
                    continue
                stack.callback(os.close, descriptor)
                if not _lock(descriptor, path):
                    continue
            yield path
            return


def _lock(descriptor: int, path: Path) -> bool:
    """Lock a new file or folder; return whether no other process has taken it for one left."""
    if not HAS_LOCKS:
        return True
    with contextlib.suppress(OSError):  # not every file system has locks
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False
