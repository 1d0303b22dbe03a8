"""Temporary folders of vetting processes, and the removal of those that killed processes left."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from mnist_tasks.errors import EnvironmentProblemError

if sys.platform != "win32":
    import fcntl

_PREFIX = "mnist-tasks-vetting-"
_NAME = re.compile(rf"{_PREFIX}[a-z0-9_]{{8}}")
# The process that a folder belongs to holds a lock on this file in it.
_LOCK = "owner.lock"


@contextlib.contextmanager
def private_folder() -> Iterator[Path]:
    """Create a folder that only this user can read, and remove it with everything in it.

    It lies in ``$TMPDIR``, if that is set, and otherwise in the system's temporary folder.

    Raises
    ------
    EnvironmentProblemError
        It can't be created.
    """
    with contextlib.ExitStack() as stack:
        with usable():
            # Unlike `tempfile`, don't pass over a TMPDIR that can't be used.
            parent = Path(os.environ.get("TMPDIR") or tempfile.gettempdir()).absolute()
            remove_abandoned(parent)
            folder = stack.enter_context(_locked_folder(parent))
        stack.callback(_remove, folder)
        yield folder


@contextlib.contextmanager
def usable() -> Iterator[None]:
    """Raise `EnvironmentProblemError` if the block can't write to the temporary folder."""
    try:
        yield
    except OSError as error:
        named = os.environ.get("TMPDIR")
        with contextlib.suppress(OSError):
            named = named or tempfile.gettempdir()
        raise EnvironmentProblemError(
            named or "temporary folder",
            expected="a writable folder on a disk with free space",
            found=error.strerror or str(error),
            remedy="Free some space there, or set TMPDIR to another folder.",
            reason="temporary-folder-unusable",
        ) from error


def remove_abandoned(parent: Path) -> None:
    """Remove the folders of this user whose process has ended without removing them."""
    if sys.platform == "win32":
        return
    with contextlib.suppress(OSError), os.scandir(parent) as entries:
        names = [entry.name for entry in entries if _NAME.fullmatch(entry.name)]
        for name in names:
            folder = parent / name
            with contextlib.suppress(OSError):
                status = folder.lstat()
                if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
                    continue
                with _open_lock(folder, os.O_RDWR) as lock:
                    if not stat.S_ISREG(os.fstat(lock).st_mode):
                        continue
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails if its owner lives
                    _remove(folder)


@contextlib.contextmanager
def _locked_folder(parent: Path) -> Iterator[Path]:
    """Create a folder and hold the lock in it."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        if sys.platform == "win32":
            yield folder
            return
        with contextlib.ExitStack() as stack:
            try:
                lock = stack.enter_context(_open_lock(folder, os.O_RDWR | os.O_CREAT | os.O_EXCL))
                fcntl.flock(lock, fcntl.LOCK_EX)
            except OSError:
                _remove(folder)
                raise
            # Another process may have taken the new folder for an abandoned one.
            if os.fstat(lock).st_nlink:
                yield folder
                return


@contextlib.contextmanager
def _open_lock(folder: Path, flags: int) -> Iterator[int]:
    lock = os.open(folder / _LOCK, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    try:
        yield lock
    finally:
        os.close(lock)


def _remove(folder: Path) -> None:
    """Remove a folder, also if the process in it took away its own permissions."""
    with contextlib.suppress(OSError, RecursionError):
        folder.chmod(0o700)
        for path, names, _ in os.walk(folder):
            for name in names:
                inner = Path(path, name)
                if not inner.is_symlink():
                    inner.chmod(0o700)
        shutil.rmtree(folder)
