"""Save the model of a run, and run inference with a model file that this process saved."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mnist_tasks import disk
from mnist_tasks.records import ModelFile

if TYPE_CHECKING:
    import keras

OTHER_OUTPUT = "Name another file with --output."
_BYTES_PER_PARAMETER = 16  # at most, with the optimizer's state
_OTHER_BYTES = 500_000  # at most


def save(model: keras.Model, output: Path) -> ModelFile:
    """Save a model; a file of that name is replaced only once the new one is complete."""
    # If the disk fills up while HDF5 writes, the process crashes.
    room = _BYTES_PER_PARAMETER * model.count_params() + _OTHER_BYTES
    disk.require_room(output.parent, room, remedy=OTHER_OUTPUT)
    with disk.writable(output.parent, remedy=OTHER_OUTPUT), disk.replacing(output) as temporary:
        model.save(temporary)
        size = temporary.stat().st_size
        digest = disk.sha256(temporary)
    return ModelFile(path=str(output), bytes=size, sha256=digest, parameters=model.count_params())


def predict(model: Path, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Load a model file and return its predictions: (n, classes) float32 in [0, 1].

    Any file that another process wrote goes through `vetting`. Images are uint8, (n, h, w) or
    (n, h, w, 3).
    """
    import keras

    loaded = keras.models.load_model(model, compile=False)
    pixels = (images[..., np.newaxis] if images.ndim == 3 else images) / np.float32(255)
    probabilities: NDArray[np.float32] = loaded.predict(pixels, batch_size=1000, verbose=0)
    return probabilities
