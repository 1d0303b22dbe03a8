"""Files are written atomically, and problems of a folder are named."""

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from mnist_tasks import disk, run_models
from mnist_tasks.errors import EnvironmentProblemError


def test_a_file_is_replaced_and_leaves_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "file.json"
    disk.write(target, b"old")
    disk.write(target, b"new")
    assert target.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [target]


def test_a_new_file_has_the_usual_mode(tmp_path: Path) -> None:
    usual = tmp_path / "usual"
    usual.write_bytes(b"")
    disk.write(tmp_path / "file", b"")
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == stat.S_IMODE(usual.stat().st_mode)


@pytest.mark.skipif(sys.platform == "win32", reason="has no modes")
@pytest.mark.parametrize("mode", [0o600, 0o664])
def test_a_file_keeps_its_permissions(tmp_path: Path, mode: int) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"old")
    target.chmod(mode)
    (tmp_path / "link").symlink_to(target)
    for path in (target, tmp_path / "link"):
        disk.write(path, b"new")
        assert stat.S_IMODE(target.stat().st_mode) == mode


@pytest.mark.parametrize("failure", [OSError, KeyboardInterrupt])
def test_a_failure_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: type[BaseException]
) -> None:
    target = tmp_path / "model.h5"
    target.write_bytes(b"old")

    def fail(_: int) -> None:
        raise failure

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(failure):
        disk.write(target, b"new")
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_that_cant_be_created_is_named_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with (
        pytest.raises(EnvironmentProblemError) as caught,
        disk.writable(tmp_path / "file" / "folder", remedy="Use another."),
    ):
        pass
    assert str(tmp_path / "file") in caught.value.subject
    assert (caught.value.expected, caught.value.remedy) == ("a folder", "Use another.")
    assert caught.value.found == "a path that leads through a file"
    with (
        pytest.raises(EnvironmentProblemError) as caught,
        disk.writable(tmp_path / "file", remedy="Use another."),
    ):
        pass
    assert (caught.value.expected, caught.value.found) == ("a folder", "a file")


def test_a_file_where_a_folder_is_needed_is_refused_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    disk.require_output(tmp_path / "new" / "v.md", remedy="Use another.")
    with pytest.raises(EnvironmentProblemError, match="a file") as caught:
        disk.require_output(tmp_path / "file" / "v.xml", remedy="Use another.")
    assert caught.value.remedy == "Use another."


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with (
        pytest.raises(EnvironmentProblemError, match="Permission denied"),
        disk.writable(tmp_path, remedy=""),
    ):
        disk.write(tmp_path / "file", b"")


@pytest.mark.skipif(sys.platform != "linux", reason="a folder that nobody can write to")
def test_a_folder_is_named_and_not_a_temporary_file_in_it() -> None:
    proc = Path("/proc")
    for block in (
        lambda: disk.require_writable(proc, remedy=""),
        lambda: disk.reserved(proc, 1, remedy="").__enter__(),
        lambda: disk.require_output(proc / "page.html", remedy=""),
        lambda: run_models.new_folder(proc).__enter__(),
    ):
        with pytest.raises(EnvironmentProblemError) as caught:
            block()
        assert caught.value.subject == "/proc"


@pytest.mark.parametrize("allocates", [True, False])
def test_room_is_reserved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, allocates: bool) -> None:
    if not allocates:  # as on macOS
        monkeypatch.delattr(os, "posix_fallocate", raising=False)
    with disk.reserved(tmp_path, 1_000, remedy=""):
        assert not list(tmp_path.iterdir())
    huge = 1 << 43
    with (
        pytest.raises(EnvironmentProblemError) as caught,
        disk.reserved(tmp_path, huge, remedy="Go elsewhere."),
    ):
        pass
    assert caught.value.subject == str(tmp_path)
    assert caught.value.found in [
        f"{text} (8,796,093,022,208 bytes needed)"
        for text in ("No space left on device", "File too large")
    ]
    assert caught.value.remedy == "Go elsewhere."


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limits")
def test_a_file_larger_than_allowed_is_named(tmp_path: Path) -> None:
    """After `ulimit -f`, a write is refused in the middle."""
    import resource

    target = tmp_path / "file"
    target.write_bytes(b"old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large") as caught:
            disk.write(target, bytes(10_000))
        with (
            pytest.raises(EnvironmentProblemError, match="File too large"),
            disk.reserved(tmp_path, 10_000, remedy=""),
        ):
            pass
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert caught.value.filename == str(target)
    assert caught.value.strerror == "File too large (10,000 bytes needed)"
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_an_error_names_the_file_and_not_its_temporary_name(tmp_path: Path) -> None:
    target = tmp_path / "none" / "file.xml"
    with pytest.raises(FileNotFoundError) as caught:
        disk.write(target, b"")
    assert caught.value.filename == str(target)


def test_a_file_is_read_up_to_a_size(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"abc")
    assert disk.read_regular(file, limit=3) == b"abc"
    with pytest.raises(OSError, match="3 bytes") as caught:
        disk.read_regular(file, limit=2)
    assert caught.value.errno == errno.EFBIG
    for missing in (tmp_path / "none", tmp_path / "a\0b"):
        with pytest.raises(FileNotFoundError):
            disk.read_regular(missing)


def test_a_sparse_file_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(OSError, match="1,099,511,627,776 bytes"):
        disk.read_regular(tmp_path / "sparse")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError, match="a folder"):
        disk.read_regular(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in folders")
def test_what_may_never_end_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/zero")
    for name in ("pipe", "link", "/dev/zero"):
        with pytest.raises(OSError, match="a pipe, socket or device"):
            disk.read_regular(tmp_path / name)
        with pytest.raises(OSError, match="a pipe, socket or device"):
            disk.sha256(tmp_path / name)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_a_file_of_the_kernel_has_more_than_its_size() -> None:
    with pytest.raises(OSError, match="11 bytes"):
        disk.read_regular(Path("/proc/self/status"), limit=10)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows lets few users make links")
def test_a_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("again")
    (tmp_path / "again").symlink_to("folder/file")
    for content in (b"new", b"newer"):  # first, the link leads to nothing
        disk.require_output(tmp_path / "link", remedy="")
        disk.write(tmp_path / "link", content, staging=tmp_path)
        assert (tmp_path / "folder" / "file").read_bytes() == content
    assert (tmp_path / "link").is_symlink()
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["file"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows lets few users make links")
@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("link", "Too many levels of symbolic links"),
        ("/dev/null", "a pipe, socket or device"),
        ("folder", "a folder"),
        ("x" * 300, "File name too long"),
    ],
)
def test_a_link_to_no_file_is_refused(target: str, found: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    link = tmp_path / "link"
    link.symlink_to(target)
    assert disk.obstacle(link) == found
    with pytest.raises(OSError, match=found):
        disk.write(link, b"")
    with pytest.raises(EnvironmentProblemError, match=found):
        disk.require_output(link, remedy="")
    assert link.is_symlink()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows lets few users make links")
def test_a_folder_that_is_a_link_to_nothing_is_named(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("nothing")
    with pytest.raises(EnvironmentProblemError, match="link: a link to nothing"):
        disk.require_writable(tmp_path / "link", remedy="")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows lets few users make links")
def test_the_file_of_the_standard_output_is_not_replaced(tmp_path: Path) -> None:
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    script = "import mnist_tasks.disk, pathlib; print(mnist_tasks.disk.obstacle(pathlib.Path({})))"
    for name in ("'/dev/stdout'", "'log'"):
        with (tmp_path / "log").open("w") as log:
            command = [sys.executable, "-c", script.format(name)]
            subprocess.run(command, stdout=log, cwd=tmp_path, env=env, check=True)
        assert (tmp_path / "log").read_text() == "where this process prints\n"
