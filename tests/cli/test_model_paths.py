"""Which model files the arguments of ``check`` and ``vet`` name."""

from __future__ import annotations

import io
import os
import sys
import types
from pathlib import Path

import pytest

from mnist_tasks.cli import model_paths
from mnist_tasks.errors import InputRefusedError


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with model files, other files, and hidden ones."""
    for name in (
        *("b.h5", "a.keras", "models/z.HDF5", "models/deep/er/y.h5", "models/k.keras"),
        *("notes.txt", "models/weights.pt", "models/h5", ".hidden.h5", ".venv/test.h5"),
        *("saved/saved_model.pb", "saved/variables/index", "empty/.keep"),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def expand(*arguments: str) -> list[str]:
    return [str(path) for path in model_paths.expand([Path(each) for each in arguments])]


def refusal(*arguments: str) -> InputRefusedError:
    with pytest.raises(InputRefusedError) as caught:
        expand(*arguments)
    assert caught.value.reason == "no-model-files"
    return caught.value


def send(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", types.SimpleNamespace(buffer=io.BytesIO(data)))


def test_files_keep_their_order_whether_they_exist_or_not() -> None:
    assert expand("b.h5", "missing.h5", "notes.txt", "a.keras", "b.h5") == [
        *("b.h5", "missing.h5", "notes.txt", "a.keras", "b.h5")
    ]


def test_a_folder_is_the_model_files_in_it_and_below_in_order() -> None:
    below = ["models/deep/er/y.h5", "models/k.keras", "models/z.HDF5"]
    assert expand("models") == below
    assert expand(".") == ["a.keras", "b.h5", *below]
    assert expand("b.h5", "models", "a.keras") == ["b.h5", *below, "a.keras"]


def test_what_is_hidden_is_checked_only_if_it_is_named() -> None:
    assert expand(".hidden.h5", ".venv") == [".hidden.h5", ".venv/test.h5"]


def test_odd_things_with_the_name_of_a_model_are_not_passed_over(folder: Path) -> None:
    (folder / "odd" / "folder.keras").mkdir(parents=True)
    (folder / "odd" / "folder.keras" / "inner.h5").touch()
    (folder / "odd" / "broken.h5").symlink_to("nowhere")
    (folder / "odd" / "loop").symlink_to(folder)
    os.mkfifo(folder / "odd" / "pipe.keras")
    assert expand("odd") == ["odd/broken.h5", "odd/folder.keras/inner.h5", "odd/pipe.keras"]


def test_a_saved_model_is_a_model_not_a_folder_of_models() -> None:
    assert expand("saved") == ["saved"]


def test_a_folder_without_models_is_refused() -> None:
    error = refusal("b.h5", "empty")
    assert (error.subject, error.found) == ("empty", "a folder without .h5, .hdf5, .keras files")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read anything")
def test_a_folder_that_cant_be_read_is_refused(folder: Path) -> None:
    (folder / "models" / "deep").chmod(0)
    error = refusal("models")
    assert (error.subject, error.found) == ("models/deep", "Permission denied")


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b.h5", b"\xff.h5".decode("utf-8", "replace")])
def test_a_path_that_cant_exist_is_left_to_the_reader(name: str) -> None:
    assert expand(name) == [name]


@pytest.mark.parametrize(
    "data",
    [
        b"b.h5\nmodels\na.keras\n",
        b"b.h5\r\n\r\nmodels\r\na.keras",
        b"b.h5\0models\0a.keras\0",
    ],
)
def test_a_list_names_files_and_folders(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    send(monkeypatch, data)
    below = expand("models")
    assert expand("first.h5", "-", "last.h5") == [
        *("first.h5", "b.h5", *below, "a.keras", "last.h5")
    ]


def test_names_may_have_line_breaks_between_nul_and_any_bytes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    send(monkeypatch, b"a\nb.h5\0 \xff.h5\0")
    assert model_paths.expand([Path("-")]) == [Path("a\nb.h5"), Path(" " + os.fsdecode(b"\xff.h5"))]


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\0"])
def test_an_empty_list_is_refused(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    send(monkeypatch, data)
    error = refusal("-")
    assert (error.subject, error.found) == ("standard input", "an empty list")


def test_an_endless_list_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with Path("/dev/zero").open() as endless:
        monkeypatch.setattr(sys, "stdin", endless)
        assert refusal("-").found == "more than 16,777,216 bytes"
