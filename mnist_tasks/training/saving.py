"""Write the model file of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mnist_tasks import disk
from mnist_tasks.records import ModelFile

if TYPE_CHECKING:
    from pathlib import Path

    import keras

OTHER_OUTPUT = "Name another file with --output."
_BYTES_PER_PARAMETER = 16  # at most, with the optimizer's state
_OTHER_BYTES = 500_000  # at most


def save(model: keras.Model, output: Path) -> ModelFile:
    """Save a model; a file of that name is replaced only once the new one is complete.

    Raises
    ------
    EnvironmentProblemError
        The file can't be written.
    """
    # A disk that fills up while HDF5 writes ends the process.
    room = _BYTES_PER_PARAMETER * model.count_params() + _OTHER_BYTES
    disk.require_room(output.parent, room, remedy=OTHER_OUTPUT)
    with (
        disk.writable(output.parent, remedy=OTHER_OUTPUT),
        disk.replacing(output) as temporary,
    ):
        model.save(temporary)
        size = temporary.stat().st_size
        digest = disk.sha256(temporary)
    return ModelFile(path=str(output), bytes=size, sha256=digest, parameters=model.count_params())
