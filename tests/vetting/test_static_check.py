"""What the static check says of files that it passes, without Keras."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from mnist_tasks.vetting import sandbox
from mnist_tasks.vetting.limits import DEFAULT
from mnist_tasks.vetting.static_check import vet_bytes
from tests.vetting.crafted import handmade

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def _version_of_h5(version: object) -> bytes:
    def edit(file: Any) -> None:
        del file.attrs["keras_version"]
        if version is not None:
            file.attrs["keras_version"] = version

    return handmade.write_h5(handmade.small(), edit=edit)


def _version_of_weights(file: Any) -> None:
    del file.attrs["keras_version"]
    file["model_weights"].attrs["keras_version"] = b"2.1.5"


def _version_of_keras(**metadata: object) -> bytes:
    members = handmade.members(handmade.small())
    members["metadata.json"] = json.dumps(metadata).encode()
    return handmade.zipped(members.items())


@pytest.mark.parametrize(
    ("make", "file_format", "version"),
    [
        (lambda: _version_of_h5("2.2.4-tf"), "h5", "2.2.4-tf"),
        (lambda: _version_of_h5(None), "h5", None),
        (lambda: _version_of_h5("\x1b[2Jthree"), "h5", None),
        (
            lambda: handmade.write_h5(handmade.small(), edit=_version_of_weights),
            "h5",
            "2.1.5",
        ),
        (lambda: _version_of_keras(keras_version="3.15.1"), "keras", "3.15.1"),
        (lambda: _version_of_keras(keras_version="pickle"), "keras", None),
        (_version_of_keras, "keras", None),
    ],
)
def test_the_version_of_keras_is_that_of_the_file(
    make: Callable[[], bytes], file_format: str, version: str | None
) -> None:
    assert vet_bytes(make(), file_format=file_format, limits=DEFAULT).keras_version == version


def test_vet_returns_the_version_of_keras(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    path.write_bytes(handmade.write_keras(handmade.small()))
    assert sandbox.vet(path).keras_version == "3.15.1"
