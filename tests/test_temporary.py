"""Temporary files and folders are removed: at the end, or else by the next process."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mnist_tasks import disk, temporary
from mnist_tasks.errors import EnvironmentProblemError
from mnist_tasks.vetting import sandbox
from tests.vetting.crafted import handmade

if TYPE_CHECKING:
    from collections.abc import Iterator

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="locks and owners of POSIX")
ROOT = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="mounts a small file system"
)


@pytest.fixture(autouse=True)
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


@pytest.fixture
def killed(system: Path) -> Path:
    """The folder that a killed process has left."""
    script = """
        import os, signal
        from mnist_tasks import temporary
        with temporary.folder() as folder:
            (folder / "model.h5").write_bytes(b"x")
            os.kill(os.getpid(), signal.SIGKILL)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=False)
    assert done.returncode == -signal.SIGKILL
    (folder,) = system.iterdir()
    return folder


def make() -> None:
    with temporary.folder():
        pass


def test_the_folder_is_private_and_temporary(system: Path) -> None:
    with temporary.folder() as folder:
        assert folder.parent == system
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        (folder / "inner").mkdir()
        (folder / "inner" / "file").touch()
        (folder / "inner").chmod(0)
        folder.chmod(0)
    assert not list(system.iterdir())


def test_a_relative_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", "temporary")
    (tmp_path / "model.h5").write_bytes(handmade.write_h5(handmade.small()))
    assert sandbox.vet(Path("model.h5")).parameters == 170


@POSIX
def test_a_folder_of_a_killed_process_is_removed(system: Path, killed: Path) -> None:
    make()
    assert not killed.exists()


@POSIX
def test_a_folder_in_use_is_kept(system: Path) -> None:
    with temporary.folder() as folder:
        make()
        temporary.clear(system)
        assert folder.exists()


@POSIX
def test_many_processes_and_threads_keep_their_folders(system: Path) -> None:
    script = """
        from concurrent.futures import ThreadPoolExecutor
        from mnist_tasks import temporary
        def use(_):
            with temporary.folder() as folder:
                (folder / "file").write_bytes(b"x")
                assert (folder / "file").read_bytes() == b"x"
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(use, range(100)))
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    processes = [subprocess.Popen(command) for _ in range(3)]
    assert [process.wait(timeout=300) for process in processes] == [0, 0, 0]
    assert not list(system.iterdir())


@POSIX
def test_a_new_folder_that_was_taken_for_an_abandoned_one(
    system: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process looks just before its owner has locked it."""
    import fcntl

    lock = fcntl.flock
    looked: list[bool] = []

    def flock(descriptor: int, operation: int) -> None:
        if operation == fcntl.LOCK_EX and not looked:
            looked.append(True)
            temporary.clear(system)
            assert not list(system.iterdir())
        lock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", flock)
    with temporary.folder() as folder:
        assert looked
        assert list(system.iterdir()) == [folder]


@pytest.mark.parametrize("kind", ["other name", "link", "link to a file", "fifo"])
@POSIX
def test_what_is_foreign_is_kept(kind: str, system: Path, tmp_path: Path) -> None:
    """Something that looks as if a process had left it, and is none."""
    mine = system / f"{temporary.PREFIX}abcd1234"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").touch()
    if kind == "other name":
        mine = system / f"{temporary.PREFIX}results"
        mine.mkdir()
    elif kind == "fifo":
        os.mkfifo(mine)
    else:
        mine.symlink_to(elsewhere if kind == "link" else elsewhere / "file")
    make()
    assert os.path.lexists(mine)
    assert (elsewhere / "file").exists()


@POSIX
@pytest.mark.parametrize("is_folder", [True, False], ids=["folder", "file"])
def test_what_another_machine_made_is_kept_for_a_week(system: Path, is_folder: bool) -> None:
    theirs = system / ".mnist-tasks-0123ab-abcd1234"
    theirs.mkdir() if is_folder else theirs.touch()
    day = 24 * 3600
    for age, there in ((0, True), (6 * day, True), (8 * day, False)):
        os.utime(theirs, (time.time() - age,) * 2)
        make()
        assert theirs.exists() is there


@POSIX
def test_a_file_that_a_killed_process_has_not_completed(tmp_path: Path) -> None:
    script = """
        import os, signal, sys
        from pathlib import Path
        from mnist_tasks import temporary
        with temporary.file(Path(sys.argv[1])) as (file, path):
            file.write(b"half")
            file.flush()
            os.kill(os.getpid(), signal.SIGKILL)
    """
    model = tmp_path / "model.h5"
    model.write_bytes(b"old")
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script), tmp_path], check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(list(tmp_path.glob(f"{temporary.PREFIX}*"))) == 1
    assert model.read_bytes() == b"old"
    disk.write(tmp_path / "other", b"")
    assert not list(tmp_path.glob(f"{temporary.PREFIX}*"))


@POSIX
def test_a_file_in_use_is_kept(tmp_path: Path) -> None:
    with temporary.file(tmp_path) as (file, path):
        disk.write(tmp_path / "other", b"")
        file.write(b"x")
        assert path.exists()
    assert [each.name for each in tmp_path.iterdir() if each.is_file()] == ["other"]


def test_without_locks_only_what_is_old_is_removed(
    system: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows."""
    monkeypatch.setattr(temporary, "HAS_LOCKS", False)
    left = system / f"{temporary.PREFIX}abcd1234"
    left.mkdir()
    make()
    assert left.exists()
    os.utime(left, (0, 0))
    make()
    assert not left.exists()
    disk.write(tmp_path / "file", b"content")
    assert (tmp_path / "file").read_bytes() == b"content"


@POSIX
def test_a_file_system_without_locks(system: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    def flock(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", flock)
    with temporary.folder() as folder:
        make()
        assert folder.exists()


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


@POSIX
def test_a_model_is_not_blamed_for_a_folder_that_tensorflow_cant_use(
    system: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes paths in UTF-8 only, and so can't run a model there. To vet one needs none."""
    path = tmp_path / "model.h5"
    path.write_bytes(handmade.write_h5(handmade.small()))
    folder = system / os.fsdecode(b"\xff")
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    with pytest.raises(EnvironmentProblemError) as caught:
        sandbox.inspect(path, image_sets={"test": np.zeros((1, 28, 28), np.uint8)})
    assert caught.value.reason == "temporary-folder-unusable"
    assert caught.value.subject.endswith("?")
    assert "TMPDIR" in (caught.value.remedy or "")
    assert sandbox.vet(path).parameters == 170
    assert not any(folder.iterdir())


@pytest.fixture
def small_disk(system: Path) -> Iterator[Path]:
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k,nr_inodes=20", "tmpfs", str(system)]
    if subprocess.run(mount, check=False).returncode:
        pytest.skip("mounting is not allowed")
    yield system
    subprocess.run(["umount", str(system)], check=True)


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
    for number in range(19):
        (small_disk / str(number)).touch()
    assert refused().found == "No space left on device"
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    assert refused().found == "Read-only file system"
