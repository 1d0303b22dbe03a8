"""Lock a folder against other processes. A lock ends with its process, however that ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mnist_tasks.errors import EnvironmentProblemError

if sys.platform != "win32":
    import fcntl

NAME = ".lock"  # of the file that stays in the folder, unless another is given
_LOCKS = Path("/proc/locks")


@contextmanager
def locked(
    folder: Path,
    *,
    timeout: float,
    name: str = NAME,
    on_wait: Callable[[str], None] = lambda _: None,
) -> Iterator[None]:
    """Lock a folder against other processes.

    Parameters
    ----------
    timeout
        How long to wait for another process, in seconds.
    name
        Of the file that is locked: locks with different names don't exclude one another.
    on_wait
        Is called once if it has to wait, with the words for that process.

    Raises
    ------
    EnvironmentProblemError
        The other process still holds the lock.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(folder / name)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        on_wait(_holder(folder / name))
        try:
            lock.acquire(timeout=timeout)
        except Timeout as error:
            raise EnvironmentProblemError(
                str(folder),
                found=f"{_holder(folder / name)} has locked the folder for {timeout:g} s",
                remedy="End that process or wait for it, then rerun.",
            ) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Lock a folder in which no file may stay; others wait for as long as it takes.

    Windows has no locks of folders, nor have some file systems: there nobody waits.
    """
    if sys.platform == "win32":
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _holder(path: Path) -> str:
    """Return which process holds a lock, if the system tells: Linux does, for those it can see."""
    with suppress(OSError, ValueError):
        status = path.stat()
        device = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}"
        for line in _LOCKS.read_text().splitlines():
            # "1: FLOCK ADVISORY WRITE 1234 08:01:5678 0 EOF"; one that waits has an arrow.
            words = line.split()
            if words[5:6] == [f"{device}:{status.st_ino}"] and int(words[4]) > 0:
                return f"process {words[4]}"
    return "another process"
