"""A model's predictions for the test images, kept beside the record of its run.

``runs/<id>/predictions.npz`` holds one array, ``probabilities``: (n, 10) float32 in [0, 1], in the
order of the test images.
"""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np

from mnist_tasks import disk
from mnist_tasks.errors import InputRefusedError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Probabilities = NDArray[np.float32]

FILE_NAME = "predictions.npz"
ARRAY = "probabilities"
MEMBER = f"{ARRAY}.npy"
MOST_BYTES = 10_000_000  # an archive may claim to unpack to anything


def save(probabilities: Probabilities, folder: Path) -> Path:
    """Write predictions into a run's folder, whole or not at all.

    Raises
    ------
    EnvironmentLacksError
        The folder can't be written.
    """
    path = folder / FILE_NAME
    with (
        disk.writable(folder, remedy="Name another folder with --runs."),
        disk.replacing(path) as temporary,
    ):
        np.savez(temporary, allow_pickle=False, **{ARRAY: probabilities})
    return path


def load(folder: Path) -> Probabilities:
    """Read the predictions in a run's folder.

    Raises
    ------
    InputRefusedError
        There are none, or they are no probabilities.
    """
    path = folder / FILE_NAME
    try:
        with zipfile.ZipFile(path) as archive:
            size = archive.getinfo(MEMBER).file_size
            found: Any = _read(archive) if size <= MOST_BYTES else f"{size:,} bytes"
    except OSError as error:
        found = error.strerror or str(error)
    except (KeyError, ValueError, EOFError, zipfile.BadZipFile, NotImplementedError) as error:
        found = f"{type(error).__name__} while reading it"
    if isinstance(found, np.ndarray):
        return found
    raise InputRefusedError(
        str(path),
        expected=f"predictions: '{ARRAY}', (n, 10) float32 in [0, 1]",
        found=found,
        remedy="Run `mnist-tasks check` on the run's model to have them written.",
    )


def _read(archive: zipfile.ZipFile) -> Probabilities | str:
    """Return the array, or say what is in its place; nothing is allocated on the file's word."""
    with archive.open(MEMBER) as file:
        np.lib.format.read_magic(file)
        shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(file)
        content = file.read()
    if dtype != np.dtype("<f4") or is_fortran or shape != (len(content) // 40, 10):
        return f"an array of shape {shape} and type {dtype}"
    if len(content) % 40:
        return "an array with a piece of a row at its end"
    values = np.frombuffer(content, dtype="<f4").reshape(shape)
    if not ((values >= 0) & (values <= 1)).all():
        return "values beyond 0 and 1"
    return values
