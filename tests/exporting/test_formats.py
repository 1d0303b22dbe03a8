"""Which format is written, where, and what it needs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from mnist_tasks import install
from mnist_tasks.cli import app
from mnist_tasks.errors import EnvironmentProblemError, UsageError
from mnist_tasks.exporting import formats, results
from mnist_tasks.exporting.results import ExportInput
from tests import json_output


@pytest.mark.parametrize(
    ("wanted", "output", "chosen"),
    [
        (None, None, "onnx"),
        (None, "a.onnx", "onnx"),
        (None, "a.TFLITE", "litert"),
        (None, "a", "onnx"),
        ("litert", None, "litert"),
        ("saved-model", "a", "saved-model"),
        ("onnx", "a.bin", "onnx"),
    ],
)
def test_the_format(wanted: str | None, output: str | None, chosen: str) -> None:
    assert formats.choose(wanted, Path(output) if output else None) == chosen


@pytest.mark.parametrize(
    ("wanted", "output", "subject"),
    [
        ("tflite", None, "--format"),
        ("", None, "--format"),
        ("onnx", "a.tflite", "--output"),
        ("saved-model", "a.onnx", "--output"),
        (None, "a.keras", "--output"),
        ("onnx", "a.H5", "--output"),
        ("saved-model", "a.hdf5", "--output"),
    ],
)
def test_what_is_no_format(wanted: str | None, output: str | None, subject: str) -> None:
    with pytest.raises(UsageError) as caught:
        formats.choose(wanted, Path(output) if output else None)
    assert caught.value.subject == subject


def test_the_default_output_is_beside_the_model() -> None:
    outputs = [formats.default_output(Path("runs/a/model.h5"), kind) for kind in formats.KINDS]
    assert [path.as_posix() for path in outputs] == [
        "runs/a/model.onnx",
        "runs/a/model.tflite",
        "runs/a/model_saved_model",
    ]


@pytest.mark.parametrize(
    ("model", "output"),
    [
        ("a.keras", "a.onnx"),
        ("a.HDF5", "a.onnx"),
        ("digits-v1.2", "digits-v1.2.onnx"),
        ("digits-v1.3", "digits-v1.3.onnx"),
        ("a.onnx", "a.onnx.onnx"),
    ],
)
def test_only_the_suffix_of_a_model_file_is_replaced(model: str, output: str) -> None:
    assert formats.default_output(Path(model), "onnx") == Path(output)


@pytest.mark.parametrize(
    ("chosen", "module"),
    [("onnx", "onnxruntime"), ("onnx", "tf2onnx"), ("litert", "ai_edge_litert")],
)
def test_a_missing_library(
    chosen: formats.Format, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in formats.KINDS[chosen].modules:
        monkeypatch.setitem(sys.modules, name, sys)
    formats.require_libraries(chosen)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(EnvironmentProblemError) as caught:
        formats.require_libraries(chosen)
    assert caught.value.expected == f"the library {module}"
    assert caught.value.remedy == f"Run {install.command('export')}."
    assert 'pip install -e ".[export]"' in caught.value.remedy


def test_a_saved_model_needs_no_other_library(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in formats.KINDS.values():
        for name in kind.modules:
            monkeypatch.setitem(sys.modules, name, None)
    formats.require_libraries("saved-model")


def test_the_command_says_which_library_is_missing_before_anything_else(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(SystemExit) as caught:
        app.main(["export", "missing.h5", "--json"])
    assert caught.value.code == EnvironmentProblemError.exit_code
    error = json_output.of(capfd.readouterr().out)["error"]
    assert error["reason"] == "library-broken"
    assert error["subject"] == "--format onnx"


@pytest.mark.parametrize(
    ("divisor", "offset", "words"),
    [
        (255, 0, "pixel / 255"),
        (1, 0, "pixel"),
        (127.5, 1, "pixel / 127.5 - 1"),
        (78.5655, 0.424213, "pixel / 78.5655 - 0.424213"),
    ],
)
def test_the_range_of_pixels_in_words(divisor: float, offset: float, words: str) -> None:
    given = ExportInput(shape=(None, 28, 28, 1), divisor=divisor, offset=offset)
    assert results.formula(given) == words
