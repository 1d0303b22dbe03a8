"""The temporary folder is private, and removed: at the end, or else by the next process."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mnist_tasks.errors import EnvironmentProblemError
from mnist_tasks.vetting import sandbox
from mnist_tasks.vetting.process import private_folder
from tests.vetting.crafted import handmade

if TYPE_CHECKING:
    from collections.abc import Iterator

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="locks and owners of POSIX")
ROOT = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="mounts a small file system"
)


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


@pytest.fixture
def killed(temporary: Path) -> Path:
    """The folder that a killed process has left."""
    script = """
        import os, signal
        from mnist_tasks.vetting.process.private_folder import private_folder
        with private_folder() as folder:
            (folder / "model.h5").write_bytes(b"x")
            os.kill(os.getpid(), signal.SIGKILL)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=False)
    assert done.returncode == -signal.SIGKILL
    (folder,) = temporary.iterdir()
    return folder


def make() -> None:
    with private_folder.private_folder():
        pass


def test_the_folder_is_private_and_temporary(temporary: Path) -> None:
    with private_folder.private_folder() as folder:
        assert folder.parent == temporary
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        (folder / "inner").mkdir()
        (folder / "inner" / "file").touch()
        (folder / "inner").chmod(0)
        folder.chmod(0)
    assert not list(temporary.iterdir())


def test_a_relative_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", "temporary")
    (tmp_path / "model.h5").write_bytes(handmade.write_h5(handmade.small()))
    assert sandbox.vet(Path("model.h5")).parameters == 170


@POSIX
def test_a_folder_of_a_killed_process_is_removed(temporary: Path, killed: Path) -> None:
    make()
    assert not killed.exists()


@POSIX
def test_a_folder_in_use_is_kept(temporary: Path) -> None:
    with private_folder.private_folder() as folder:
        make()
        private_folder.remove_abandoned(temporary)
        assert folder.exists()


@POSIX
def test_many_processes_and_threads_keep_their_folders(temporary: Path) -> None:
    script = """
        from concurrent.futures import ThreadPoolExecutor
        from mnist_tasks.vetting.process.private_folder import private_folder
        def use(_):
            with private_folder() as folder:
                (folder / "file").write_bytes(b"x")
                assert (folder / "file").read_bytes() == b"x"
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(use, range(100)))
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    processes = [subprocess.Popen(command) for _ in range(3)]
    assert [process.wait(timeout=300) for process in processes] == [0, 0, 0]
    assert not list(temporary.iterdir())


@POSIX
def test_a_new_folder_that_was_taken_for_an_abandoned_one(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process looks just before its owner has locked it."""
    import fcntl

    lock = fcntl.flock
    looked: list[bool] = []

    def flock(descriptor: int, operation: int) -> None:
        if operation == fcntl.LOCK_EX and not looked:
            looked.append(True)
            private_folder.remove_abandoned(temporary)
            assert not list(temporary.iterdir())
        lock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", flock)
    with private_folder.private_folder() as folder:
        assert looked
        assert list(temporary.iterdir()) == [folder]


@pytest.fixture(
    params=["other name", "no lock", "link", "link as lock", "file", "folder as lock", "fifo"]
)
def foreign(request: pytest.FixtureRequest, temporary: Path, tmp_path: Path) -> Iterator[Path]:
    """Something that looks like an abandoned folder, and is none."""
    mine = temporary / "mnist-tasks-vetting-abcd1234"
    if request.param == "other name":
        mine = temporary / "mnist-tasks-vetting-results"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "owner.lock").touch()
    if request.param == "link":
        mine.symlink_to(elsewhere)
    elif request.param == "file":
        mine.touch()
    else:
        mine.mkdir()
        lock = mine / "owner.lock"
        if request.param == "link as lock":
            lock.symlink_to(elsewhere / "owner.lock")
        elif request.param == "folder as lock":
            lock.mkdir()
        elif request.param == "fifo":
            os.mkfifo(lock)
        elif request.param == "other name":
            lock.touch()
    yield mine
    assert (elsewhere / "owner.lock").exists()


@POSIX
def test_what_is_foreign_is_kept(foreign: Path) -> None:
    make()
    assert os.path.lexists(foreign)


@ROOT
def test_the_folder_of_another_user_is_kept(killed: Path) -> None:
    os.chown(killed, 65534, 65534)
    make()
    assert killed.exists()


@POSIX
def test_links_in_an_abandoned_folder_are_not_followed(killed: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o750)
    (outside / "file").touch()
    (killed / "link").symlink_to(outside)
    make()
    assert not killed.exists()
    assert (outside / "file").exists()
    assert stat.S_IMODE(outside.stat().st_mode) == 0o750


def refused() -> EnvironmentProblemError:
    with pytest.raises(EnvironmentProblemError) as caught:
        make()
    assert caught.value.reason == "temporary-folder-unusable"
    assert "TMPDIR" in (caught.value.remedy or "")
    return caught.value


@pytest.mark.parametrize("kind", ["missing", "a file"])
def test_a_folder_that_cant_be_used_is_named(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / kind
    if kind == "a file":
        path.touch()
    monkeypatch.setenv("TMPDIR", str(path))
    assert refused().subject == str(path)


@pytest.fixture
def small_disk(temporary: Path) -> Iterator[Path]:
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k,nr_inodes=20", "tmpfs", str(temporary)]
    if subprocess.run(mount, check=False).returncode:
        pytest.skip("mounting is not allowed")
    yield temporary
    subprocess.run(["umount", str(temporary)], check=True)


@ROOT
@pytest.mark.parametrize("free", [0, 1, 10])
def test_a_full_disk(free: int, small_disk: Path, tmp_path: Path) -> None:
    """There is room for the folder, for a part of it, or for nothing."""
    path = tmp_path / "model.h5"
    path.write_bytes(handmade.write_h5(handmade.small()) + bytes(40_000))
    (small_disk / "other").write_bytes(bytes(4096 * (15 - free)))
    with pytest.raises(EnvironmentProblemError) as caught:
        sandbox.vet(path)
    assert caught.value.subject == str(small_disk)
    assert caught.value.found == "No space left on device"
    assert [entry.name for entry in small_disk.iterdir()] == ["other"]


@ROOT
def test_no_free_inodes_and_a_read_only_disk(small_disk: Path) -> None:
    for number in range(18):
        (small_disk / str(number)).touch()
    assert refused().found == "No space left on device"
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    assert refused().found == "Read-only file system"
