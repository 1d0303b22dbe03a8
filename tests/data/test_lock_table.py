"""The lock goes into ``pyproject.toml``, and everything else of the file stays as it is."""

from __future__ import annotations

import sys
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mnist_tasks import disk
from mnist_tasks.data import lock_table, project_table
from mnist_tasks.data.lock import Lock, LockedFile
from mnist_tasks.errors import UsageError
from tests import shapes

HEADER = "[tool.mnist-tasks.datasets.parts]\n"
LOCK_HEADER = "[tool.mnist-tasks.datasets.parts.lock]"
TABLE = f"# Mine.\n{HEADER}{shapes.FOLDERS}"
AFTER = '\n# Yours.\n[tool.other]\n  x = """\n[a]\n"""\n'


def lock(digit: str = "0", classes: tuple[str, ...] = ("nut", 'a "bolt" \\')) -> Lock:
    images = LockedFile(shape=(6, 20, 24, 3), sha256=digit * 64)
    labels = LockedFile(shape=(6,), sha256="b" * 64)
    return Lock(
        classes=classes,
        train_images=images,
        train_labels=labels,
        test_images=images,
        test_labels=labels,
    )


def replace(text: str, digit: str = "0") -> str:
    updated = lock_table.replace(text, "parts", lock(digit))
    assert updated is not None
    found = tomllib.loads(updated)["tool"]["mnist-tasks"]["datasets"]["parts"]["lock"]
    assert found["test_images"] == {"shape": [6, 20, 24, 3], "sha256": digit * 64}
    assert found["classes"] == ["nut", 'a "bolt" \\']
    return updated


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("text", [TABLE, TABLE + AFTER, TABLE.rstrip()])
def test_a_lock_is_added_at_the_end_and_replaced_in_its_place(text: str, newline: str) -> None:
    text = text.replace("\n", newline)
    first = replace(text)
    assert first.startswith(text)
    added = first.removeprefix(text).removeprefix(newline).removeprefix(newline)
    assert added.startswith(LOCK_HEADER + newline)
    assert added.count("\n") == added.count(newline) == 7
    moved = first + f"{newline}# Theirs.{newline}[x]{newline}"
    second = replace(moved, "1")
    assert second == moved.replace("0" * 64, "1" * 64)
    assert replace(second, "0") == moved


def test_what_was_edited_around_the_lock_stays() -> None:
    header = ' [ tool."mnist-tasks" . datasets.parts.lock ] # mine'
    text = replace(TABLE).replace(LOCK_HEADER, header) + "# of x\n[x]\ny = 1"
    updated = replace(text, "1")
    assert updated.endswith("\n# of x\n[x]\ny = 1")
    assert updated.startswith(TABLE)


def test_a_lock_at_the_end_of_a_file_without_a_last_newline() -> None:
    text = replace(TABLE).rstrip()
    assert replace(text, "1") == text.replace("0" * 64, "1" * 64)


@pytest.mark.parametrize(
    "text",
    [
        '[tool.mnist-tasks.datasets]\nparts = { train = "a", test = "b" }\n',
        f"{TABLE}lock.classes = []\n",
        replace(TABLE).replace("classes = [", "\nclasses = ["),
        f'x = """\n{LOCK_HEADER}\n"""\n{TABLE}',
        f'x = """\n{LOCK_HEADER}\n\n"""\n{TABLE}',
    ],
)
def test_a_file_that_cant_be_edited_safely_is_left_alone(text: str) -> None:
    assert lock_table.replace(text, "parts", lock()) is None


@pytest.mark.skipif(sys.platform == "win32", reason="has no modes, and few links")
def test_the_file_keeps_its_mode_its_link_and_its_byte_order_mark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    real = tmp_path / "real.toml"
    real.write_bytes(b"\xef\xbb\xbf" + TABLE.encode())
    real.chmod(0o640)
    Path("pyproject.toml").symlink_to(real)
    own = project_table.find("parts")
    assert own is not None
    lock_table.write(own, lock(classes=("nut", "bolt")))
    assert Path("pyproject.toml").is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert real.read_bytes().startswith(b"\xef\xbb\xbf" + TABLE.encode())
    assert {path.name for path in tmp_path.iterdir()} == {"real.toml", "pyproject.toml"}
    own = project_table.find("parts")
    assert own is not None
    assert own.locked().info.classes == ("nut", "bolt")


@pytest.mark.skipif(sys.platform == "win32", reason="has no locks of folders")
def test_locks_that_are_written_at_the_same_time_are_all_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by jobs that run side by side, one for each data set."""
    monkeypatch.chdir(tmp_path)
    names = ("nuts", "bolts", "parts")
    tables = (TABLE.replace("datasets.parts", f"datasets.{name}") for name in names)
    Path("pyproject.toml").write_text("".join(tables))
    really_write = disk.write

    def write_slowly(target: Path, content: bytes) -> None:
        time.sleep(0.2)
        really_write(target, content)

    monkeypatch.setattr(disk, "write", write_slowly)
    found = [own for name in names if (own := project_table.find(name))]
    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(lock_table.write, own, lock()) for own in found]:
            done.result()
    locked = [own for name in names if (own := project_table.find(name)) and own.table.lock]
    assert len(locked) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["pyproject.toml"]


def test_an_inline_table_is_refused_with_what_to_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = '[tool.mnist-tasks.datasets]\nparts = { train = "a", test = "b" }\n'
    Path("pyproject.toml").write_text(text)
    own = project_table.find("parts")
    assert own is not None
    with pytest.raises(UsageError) as caught:
        lock_table.write(own, lock())
    assert caught.value.expected == "a table with the header [tool.mnist-tasks.datasets.parts]"
    assert Path("pyproject.toml").read_text() == text
