"""Delete the folders of old runs, and of old checks of models that no run made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path

from mnist_tasks import disk, locks, temporary
from mnist_tasks.errors import EnvironmentProblemError

_LOCK_TIMEOUT = 10.0  # seconds: another pruning takes less, a sweep may take hours


def delete(
    folders: Sequence[Path], runs: Path, *, on_wait: Callable[[str], None] = lambda _: None
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
        temporary.clear(runs)  # what one that was killed had moved away
        return []
    if links := [each for each in folders if each.is_symlink()]:
        raise EnvironmentProblemError(
            str(links[0]),
            expected="a folder",
            found="a symbolic link",
            remedy="Remove the link, then repeat this command. Nothing was deleted.",
        )
    deleted = []
    lock = locks.locked(runs, timeout=_LOCK_TIMEOUT, on_wait=on_wait)
    # Without a lock file, no sweep has ever run here.
    is_of_sweep = (runs / locks.NAME).exists()
    with (
        disk.writable(runs, remedy="Delete it by hand, or keep it."),
        temporary.folder(runs) as moved,  # whose content is deleted after the lock is released
        lock if is_of_sweep else nullcontext(),
    ):
        for number, folder in enumerate(folders):
            try:
                folder.rename(moved / str(number))
            except FileNotFoundError:
                continue
            deleted.append(folder)
    return deleted
