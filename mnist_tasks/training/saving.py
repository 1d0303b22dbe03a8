"""Save the model of a run, and run inference with a model file that this process saved."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mnist_tasks import disk, run_store
from mnist_tasks.check_records import ModelFile
from mnist_tasks.training import library_warnings
from mnist_tasks.training.batches import with_channels

if TYPE_CHECKING:
    import keras

OTHER_OUTPUT = run_store.OTHER_FOLDER  # a run's model is saved in its folder
_BYTES_PER_PARAMETER = {".h5": 4, ".keras": 16}  # at most; the latter has the optimizer's state
_OTHER_BYTES = 500_000  # at most, with the record of the run


@contextmanager
def room(model: keras.Model, outputs: Mapping[Path, str]) -> Iterator[None]:
    """Keep room for a model's files and the record of the run while the block trains it.

    Parameters
    ----------
    outputs
        The files, and what the user can do if there is no room for one.

    Raises
    ------
    EnvironmentProblemError
        A disk is too full, or the files would be larger than this process may write.
    """
    with ExitStack() as stack:
        for output, remedy in outputs.items():
            size = _BYTES_PER_PARAMETER[output.suffix] * model.count_params() + _OTHER_BYTES
            folder = disk.destination(output).parent
            stack.enter_context(disk.reserved(folder, size, remedy=remedy))
        yield


def save(model: keras.Model, output: Path) -> ModelFile:
    """Save a model so that it can be trained further.

    A file of that name is replaced only once the new one is complete.
    """
    data = content(model, output.suffix)
    with disk.writable(output.parent, remedy=OTHER_OUTPUT):
        disk.write(output, data)
    return ModelFile(
        path=str(output),
        bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        parameters=model.count_params(),
    )


@library_warnings.lenient()
def content(model: keras.Model, suffix: str) -> bytes:
    """Return the content of a model file, from which Keras can train the model further.

    It is made in memory: HDF5 crashes if a write to a file fails, on a full disk for example.

    Parameters
    ----------
    suffix
        Of the file: ``.h5`` or ``.keras``.
    """
    import keras

    if suffix == ".h5":
        return _h5(model)
    optimizer = getattr(model, "optimizer", None)  # there is none unless the model is compiled
    if optimizer is not None and not optimizer.built:
        # Keras warns about the optimizer when it loads a file without its state.
        optimizer.build(model.trainable_variables)
    file = io.BytesIO()
    # "Not zipped" is about folders: what Keras writes to a file object is an archive.
    keras.saving.save_model(model, file, zipped=False)
    return file.getvalue()


def uncompiled(model: keras.Model) -> keras.Model:
    """Return a model of the same layers whose file says nothing of how they were trained."""
    import keras

    return keras.Model(model.inputs, model.outputs, name=model.name)


def _h5(model: keras.Model) -> bytes:
    """Return an HDF5 file without the state of the optimizer.

    With it, Keras 3 loads a sequential model whose `fit` raises: it builds the optimizer before the
    layers have their variables.
    """
    import h5py
    from keras.src.legacy.saving import legacy_h5_format

    # With the driver "core", the bytes are those of a real file. Its files differ in their names.
    with (
        h5py.File(io.BytesIO(), "w") as whole,
        h5py.File(f"{id(model)}", "w", driver="core", backing_store=False) as file,
    ):
        with _kept_training_setup(model):
            legacy_h5_format.save_model_to_hdf5(model, whole)
        for name, value in whole.attrs.items():
            file.attrs[name] = value
        for name in whole:
            if name != "optimizer_weights":
                whole.copy(name, file)
        file.flush()
        data: bytes = file.id.get_file_image()
    return data


@contextmanager
def _kept_training_setup(model: keras.Model) -> Iterator[None]:
    """Restore what a model was compiled with: saving it as HDF5 takes the optimizer out of that.

    The ``.keras`` files that the user saves later, such as those of a `ModelCheckpoint`, would be
    loaded with another optimizer.
    """
    found = getattr(model, "_compile_config", None)
    kept = dict(found.config) if found else {}
    try:
        yield
    finally:
        if found:
            found.config = kept


@library_warnings.lenient()
def predict(model: Path, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Load a model file and return its predictions: (n, classes) float32 in [0, 1].

    Any file that another process wrote goes through `vetting`. Images are uint8, (n, h, w) or
    (n, h, w, 3).
    """
    import keras

    from mnist_tasks.training import user_code
    from mnist_tasks.vetting.execution import inference

    # This process wrote it, with the user's own layers and functions.
    loaded = keras.models.load_model(
        model, custom_objects=user_code.own_objects(), compile=False, safe_mode=False
    )
    pixels = with_channels(images) / np.float32(255)
    outputs = loaded.predict(pixels, batch_size=1000, verbose=0)
    return inference.probabilities(outputs.astype(np.float64)).astype(np.float32)
