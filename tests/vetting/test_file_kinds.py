"""A file is what its content says, whatever its name."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import tarfile
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mnist_tasks.cli.model_paths import expand
from mnist_tasks.errors import InputRefusedError
from mnist_tasks.vetting import sandbox
from mnist_tasks.vetting.limits import DEFAULT
from mnist_tasks.vetting.read_file import read_model_file
from tests.vetting.crafted import handmade
from tests.vetting.crafted.archive import aligned

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TORCH = bytes.fromhex("80028a0a6cfc9c46f9206aa850192e80024de9032e")
SAVED_MODEL = b"\x08\x01\x12\xca\x10\n\xd2\x0f\x12\x05serve"


def array() -> bytes:
    file = io.BytesIO()
    np.save(file, np.zeros(3))
    return file.getvalue()


def arrays() -> bytes:
    file = io.BytesIO()
    np.savez(file, kernel=np.zeros(3))
    return file.getvalue()


def tar() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("model.h5"), io.BytesIO())
    return file.getvalue()


def safetensors() -> bytes:
    header = json.dumps({"kernel": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}})
    return len(header).to_bytes(8, "little") + header.encode() + bytes(4)


KINDS: list[tuple[str, str, Callable[[], bytes]]] = [
    ("a PyTorch file", "model-can-run-code", lambda: TORCH),
    (
        "a PyTorch file",
        "model-can-run-code",
        lambda: handmade.zipped([("archive/data.pkl", b"\x80\x02."), ("archive/version", b"3")]),
    ),
    ("a Python pickle: opening it can run code", "model-can-run-code", lambda: pickle.dumps([1])),
    ("a Python pickle", "model-can-run-code", lambda: pickle.dumps([1], protocol=0)),
    ("a Python pickle", "model-can-run-code", lambda: b"cos\nsystem\n(S'true'\ntR."),
    ("a TensorFlow Lite model", "model-unreadable", lambda: b"\x1c\0\0\0TFL3\x14\0 \0"),
    ("an ONNX model", "model-unreadable", lambda: b"\x08\x08\x12\x07pytorch\x1a\x05"),
    ("a TensorFlow SavedModel", "model-unreadable", lambda: SAVED_MODEL),
    (
        "a TensorFlow SavedModel",
        "model-unreadable",
        lambda: handmade.zipped([("saved_model.pb", b"")]),
    ),
    ("a safetensors file", "model-unreadable", safetensors),
    (
        "a Git LFS pointer",
        "model-unreadable",
        lambda: b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
    ),
    ("an HTML page", "model-unreadable", lambda: b"\n<!DOCTYPE html>\n<html lang='en'>"),
    ("a notebook", "model-unreadable", lambda: b'{"cells": [], "nbformat": 4}'),
    (
        "the description of a model",
        "model-unreadable",
        lambda: json.dumps(handmade.small()).encode(),
    ),
    ("a GGUF model", "model-unreadable", lambda: b"GGUF\x03\0\0\0"),
    ("a NumPy array", "model-unreadable", array),
    ("NumPy arrays", "model-unreadable", arrays),
    ("a gzip archive", "model-unreadable", lambda: gzip.compress(b"model")),
    ("a tar archive", "model-unreadable", tar),
    (
        "the index of a TensorFlow checkpoint",
        "model-unreadable",
        lambda: b"\0\0\x01\x02" + bytes.fromhex("57fb808b247547db"),
    ),
    ("an empty file", "model-unreadable", bytes),
    ("a text file", "model-unreadable", lambda: b"Hello,\nworld"),
    (
        "an unknown kind of file that starts with 8f ed 3c",
        "model-unreadable",
        lambda: bytes.fromhex("8fed3c4721363d3f9a93"),
    ),
]


@pytest.mark.parametrize(("kind", "reason", "make"), KINDS)
@pytest.mark.parametrize("name", ["model.h5", "model.keras", "model"])
def test_each_kind_is_named(
    kind: str, reason: str, make: Callable[[], bytes], name: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(make())
    with pytest.raises(InputRefusedError) as refused:
        read_model_file(path, limits=DEFAULT)
    assert refused.value.found.startswith(kind)
    assert refused.value.reason == reason
    assert refused.value.remedy


def test_a_folder_with_a_saved_model_is_named(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes(SAVED_MODEL)
    with pytest.raises(InputRefusedError, match="a TensorFlow SavedModel"):
        read_model_file(tmp_path, limits=DEFAULT)


@pytest.mark.parametrize("name", ["saved_model.pbtxt", "saved_model.cpb"])
def test_the_other_forms_of_a_saved_model_are_named(name: str, tmp_path: Path) -> None:
    (tmp_path / name).touch()
    with pytest.raises(InputRefusedError, match="a TensorFlow SavedModel"):
        read_model_file(tmp_path, limits=DEFAULT)


@pytest.mark.parametrize(
    ("config", "is_model"),
    [
        (b'{"\\u0063lass_name": "Sequential"}', True),
        (b'{"class_name": "Sequential"}' + b" " * 11_000_000, True),
        (b'{"architectures": ["Bert"]}', False),
        (b"[" * 100_000, False),
        (b"\xff", False),
    ],
    ids=["escaped", "large", "of another program", "deep", "not text"],
)
def test_an_unpacked_archive_is_one_model(config: bytes, is_model: bool, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes(config)
    (tmp_path / "model.weights.h5").write_bytes(handmade.write_h5(handmade.small()))
    with pytest.raises(InputRefusedError) as refused:
        read_model_file(tmp_path, limits=DEFAULT)
    assert ("an unpacked .keras archive" in refused.value.found) == is_model
    assert [path.name for path in expand([tmp_path])] == (
        [tmp_path.name] if is_model else ["model.weights.h5"]
    )


@pytest.mark.parametrize("name", ["model.keras", "model.h5", "model"])
def test_a_sound_archive_in_which_hdf5_finds_a_file_is_opened_by_its_name(
    name: str, tmp_path: Path
) -> None:
    import h5py

    path = tmp_path / name
    path.write_bytes(aligned())
    assert h5py.is_hdf5(path)
    if name == "model.keras":
        assert sandbox.vet(path).format == "keras"
    else:
        with pytest.raises(InputRefusedError, match="a ZIP archive in one"):
            sandbox.vet(path)


@pytest.mark.parametrize("comment", [b"", b"x" * 65_535], ids=["no comment", "long comment"])
@pytest.mark.parametrize("name", ["model.keras", "model.h5", "model"])
def test_no_archive_hides_behind_a_sound_hdf5_file(
    name: str, comment: bytes, tmp_path: Path
) -> None:
    model = handmade.small()
    archive = handmade.zipped(handmade.members(model).items(), comment=comment)
    path = tmp_path / name
    path.write_bytes(handmade.write_h5(model) + archive)
    assert zipfile.is_zipfile(path)
    with pytest.raises(InputRefusedError, match="a ZIP archive in one") as refused:
        sandbox.vet(path)
    assert refused.value.reason == "model-can-run-code"


@pytest.mark.parametrize("name", ["model.h5", "model.keras", "model", "model.bin"])
@pytest.mark.parametrize("kind", ["h5", "keras"])
def test_a_model_is_accepted_under_any_name(kind: str, name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    model = handmade.small()
    path.write_bytes(handmade.write_h5(model) if kind == "h5" else handmade.write_keras(model))
    vetted = sandbox.vet(path)
    assert vetted.format == kind
    assert vetted.keras_opens_name == (path.suffix == f".{kind}")


def test_weights_only_are_told_what_to_do(tmp_path: Path) -> None:
    import h5py

    path = tmp_path / "weights.h5"
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = ["dense"]
    with pytest.raises(InputRefusedError, match="not the model") as caught:
        sandbox.vet(path)
    assert caught.value.reason == "model-unreadable"
    assert "load_weights" in str(caught.value.remedy)


def test_a_missing_file_has_its_own_reason(tmp_path: Path) -> None:
    with pytest.raises(InputRefusedError) as refused:
        read_model_file(tmp_path / "missing.h5", limits=DEFAULT)
    assert refused.value.reason == "file-missing"
