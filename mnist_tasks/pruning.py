"""Delete the folders of old runs, and of old checks of models that no run made."""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from pathlib import Path

from mnist_tasks import disk, temporary

_LOCK_TIMEOUT = 10.0  # seconds: another pruning takes less, a sweep may take hours


def delete(
    folders: Sequence[Path], runs: Path, *, on_wait: Callable[[], None] = lambda: None
) -> list[Path]:
    """Delete folders in a folder of runs with everything in them.

    Each is moved away before it is deleted, so that a folder under its name is always complete.

    Returns
    -------
    deleted
        Those that were still there: another process may delete the same.

    Raises
    ------
    EnvironmentProblemError
        A folder can't be deleted, or is a symbolic link; or a sweep is running in the folder of
        runs.
    """
    if not folders:
        return []
    deleted = []
    with (
        disk.writable(runs, remedy="Delete it by hand, or keep it."),
        temporary.folder(runs) as moved,  # whose content is deleted after the lock is released
        disk.locked(runs, timeout=_LOCK_TIMEOUT, on_wait=on_wait),
    ):
        for number, folder in enumerate(folders):
            if folder.is_symlink():
                raise OSError(errno.ELOOP, "a symbolic link", str(folder))
            try:
                folder.rename(moved / str(number))
            except FileNotFoundError:
                continue
            deleted.append(folder)
    return deleted
