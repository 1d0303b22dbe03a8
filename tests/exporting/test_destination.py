"""What an export writes is complete, and replaces nothing that it should not."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from mnist_tasks.checking.checker import Checker
from mnist_tasks.checking.contract import Contract
from mnist_tasks.data.store import LabeledImages
from mnist_tasks.errors import EnvironmentProblemError, UsageError
from mnist_tasks.exporting import destination, exporter
from tests import generated

NAMES = ("saved_model.pb", "assets.extra/mnist-tasks.json")


def saved_model(folder: Path, text: str) -> Path:
    for name in NAMES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def content(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_folder_is_written_and_replaced(tmp_path: Path) -> None:
    output = tmp_path / "new" / "model"
    for text in ("first", "second"):
        source = saved_model(tmp_path / text, text)
        destination.require(output, inputs=[tmp_path / "m.h5"], is_folder=True)
        destination.write_folder(source, output)
        assert content(output) == dict.fromkeys(NAMES, text)
        assert [path.name for path in output.parent.iterdir()] == ["model"]


def test_a_folder_stays_if_the_new_one_cannot_be_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output, new = saved_model(tmp_path / "out" / "m", "old"), saved_model(tmp_path / "n", "new")
    rename = Path.rename

    def fails(path: Path, target: Path) -> Path:
        if path.name == "new":
            raise KeyboardInterrupt
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fails)
    with pytest.raises(KeyboardInterrupt):
        destination.write_folder(new, output)
    assert content(tmp_path / "out") == {f"m/{name}": "old" for name in NAMES}


@pytest.mark.parametrize("kind", ["file", "other folder", "link", "model", "contract"])
def test_what_must_not_become_a_folder(kind: str, tmp_path: Path) -> None:
    output = tmp_path / "out"
    if kind == "file":
        output.write_text("text")
    elif kind == "other folder":
        output.mkdir()
        (output / "saved_model.pb").write_text("someone's")
    elif kind == "link":
        if sys.platform == "win32":
            pytest.skip("makes a link")
        output.symlink_to(saved_model(tmp_path / "linked", "text"))
    model = output if kind == "model" else tmp_path / "m.h5"
    contract = output if kind == "contract" else tmp_path / "c.toml"
    with pytest.raises(UsageError, match="out") as caught:
        destination.require(output, inputs=[model, contract], is_folder=True)
    assert caught.value.reason == "would-overwrite"


def test_an_empty_folder_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    destination.require(tmp_path / "out", inputs=[tmp_path / "m.h5"], is_folder=True)


def test_a_file_must_not_be_an_input_or_a_folder(tmp_path: Path) -> None:
    model, contract = tmp_path / "model.h5", tmp_path / "contract.toml"
    model.write_text("model")
    contract.write_text("")
    for output in (tmp_path, model, tmp_path / "." / "model.h5", contract):
        with pytest.raises(UsageError) as caught:
            destination.require(output, inputs=[model, contract], is_folder=False)
        assert caught.value.subject == "--output"
    destination.require(tmp_path / "new" / "a.onnx", inputs=[model, contract], is_folder=False)


@pytest.mark.parametrize("name", ["model.h5", "contract.toml"])
def test_an_export_does_not_overwrite_what_it_reads(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("an input")
    images, labels = generated.digits(10)
    checker = Checker(
        contract=Contract(),
        data=LabeledImages(images=images, labels=labels),
        source=str(tmp_path / "contract.toml"),
    )
    with pytest.raises(UsageError) as caught:
        exporter.export(
            tmp_path / "model.h5",
            chosen="onnx",
            output=tmp_path / name,
            checker=checker,
            progress=lambda _done, _total: None,
        )
    assert caught.value.found.endswith(f"the input {tmp_path / name}")


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="root may write everywhere"
)
@pytest.mark.parametrize("is_folder", [True, False])
def test_a_folder_that_is_not_writable_is_found_early(tmp_path: Path, *, is_folder: bool) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    with pytest.raises(EnvironmentProblemError, match="closed"):
        destination.require(tmp_path / "closed" / "a", inputs=[tmp_path / "m"], is_folder=is_folder)
