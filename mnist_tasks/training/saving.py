"""Save the model of a run, and run inference with a model file that this process saved."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mnist_tasks import disk, run_store
from mnist_tasks.records import ModelFile
from mnist_tasks.training.batches import with_channels

if TYPE_CHECKING:
    import keras

OTHER_OUTPUT = run_store.OTHER_FOLDER  # a run's model is saved in its folder
_BYTES_PER_PARAMETER = 16  # at most, with the optimizer's state
_OTHER_BYTES = 500_000  # at most


def save(model: keras.Model, output: Path) -> ModelFile:
    """Save a model so that it can be trained further.

    A file of that name is replaced only once the new one is complete.
    """
    # If the disk fills up while HDF5 writes, the process crashes.
    room = _BYTES_PER_PARAMETER * model.count_params() + _OTHER_BYTES
    disk.require_room(output.parent, room, remedy=OTHER_OUTPUT)
    with disk.writable(output.parent, remedy=OTHER_OUTPUT), disk.replacing(output) as temporary:
        write(model, temporary)
        size = temporary.stat().st_size
        digest = disk.sha256(temporary)
    return ModelFile(path=str(output), bytes=size, sha256=digest, parameters=model.count_params())


def write(model: keras.Model, path: Path) -> None:
    """Write a model to a file, so that Keras can train it further."""
    if path.suffix == ".h5":
        model.save(path)
        _drop_optimizer_state(path)
        return
    if model.optimizer is not None and not model.optimizer.built:
        # Keras warns about the optimizer when it loads a file without its state.
        model.optimizer.build(model.trainable_variables)
    model.save(path)


def _drop_optimizer_state(path: Path) -> None:
    """Rewrite an HDF5 file without the state of the optimizer.

    With it, Keras 3 loads a sequential model whose `fit` raises: it builds the optimizer before the
    layers have their variables.
    """
    import h5py

    content = io.BytesIO(path.read_bytes())
    with h5py.File(content) as old, h5py.File(path, "w") as new:
        for name, value in old.attrs.items():
            new.attrs[name] = value
        for name in old:
            if name != "optimizer_weights":
                old.copy(name, new)


def predict(model: Path, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Load a model file and return its predictions: (n, classes) float32 in [0, 1].

    Any file that another process wrote goes through `vetting`. Images are uint8, (n, h, w) or
    (n, h, w, 3).
    """
    import keras

    from mnist_tasks.training import user_code, user_loss
    from mnist_tasks.vetting.execution import inference

    # This process wrote it, with the user's own layers and functions.
    loaded = keras.models.load_model(
        model, custom_objects=user_code.own_objects(), compile=False, safe_mode=False
    )
    pixels = with_channels(images) / np.float32(255)
    outputs: NDArray[np.float32] = loaded.predict(pixels, batch_size=1000, verbose=0)
    if user_loss.are_probabilities(outputs):
        return outputs
    return inference.probabilities(outputs.astype(np.float64)).astype(np.float32)
