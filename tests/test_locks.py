"""A lock is held by one process, which is named, and by no process that has ended."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mnist_tasks import locks
from mnist_tasks.errors import EnvironmentProblemError

HOLD = """
import sys, time
from pathlib import Path
from mnist_tasks import locks
with locks.locked(Path(sys.argv[1]), timeout=0):
    print("locked", flush=True)
    time.sleep(60)
"""


def holder(process: int) -> str:
    """Return the words for a process that holds a lock on this system."""
    return f"process {process}" if Path("/proc/locks").exists() else "another process"


def test_the_process_that_holds_a_lock_is_named_until_it_is_killed(tmp_path: Path) -> None:
    waited: list[str] = []
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout
        assert other.stdout.readline() == "locked\n"
        with (
            pytest.raises(EnvironmentProblemError) as caught,
            locks.locked(tmp_path, timeout=0.1, on_wait=waited.append),
        ):
            pass
        other.kill()
    assert waited == [holder(other.pid)]
    assert caught.value.found == f"{holder(other.pid)} has locked the folder for 0.1 s"
    with locks.locked(tmp_path, timeout=0):
        pass


@pytest.mark.parametrize("content", [None, "", "1: POSIX\n", "1: FLOCK ADVISORY WRITE ? x 0\n"])
def test_without_the_systems_list_it_is_another_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "locks").write_text(content)
    monkeypatch.setattr(locks, "_LOCKS", tmp_path / "locks")
    waited: list[str] = []
    with (
        locks.locked(tmp_path, timeout=0),
        pytest.raises(EnvironmentProblemError, match="another process has locked"),
        locks.locked(tmp_path, timeout=0, on_wait=waited.append),
    ):
        pass
    assert waited == ["another process"]
