"""The model file that a run leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mnist_tasks import disk
from mnist_tasks.records import ModelFile

if TYPE_CHECKING:
    from pathlib import Path

    import keras

OTHER_OUTPUT = "Name another file with --output."
_MOST_BYTES_EACH = 16  # of a parameter: itself, and what its optimizer keeps
_MOST_BYTES_BESIDE = 500_000


def save(model: keras.Model, output: Path) -> ModelFile:
    """Save a model, whole or not at all.

    Raises
    ------
    EnvironmentProblemError
        The file can't be written.
    """
    # HDF5 does not survive a disk that fills up while it writes.
    room = _MOST_BYTES_EACH * model.count_params() + _MOST_BYTES_BESIDE
    disk.require_room(output.parent, room, remedy=OTHER_OUTPUT)
    with (
        disk.writable(output.parent, remedy=OTHER_OUTPUT),
        disk.replacing(output) as temporary,
    ):
        model.save(temporary)
        size = temporary.stat().st_size
        digest = disk.sha256(temporary)
    return ModelFile(path=str(output), bytes=size, sha256=digest, parameters=model.count_params())
