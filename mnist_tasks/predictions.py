"""A model's predictions for the test images, saved beside the record of its run.

``runs/<id>/predictions.npz`` has one array, ``probabilities``: (n, classes) float32 in [0, 1],
in the order of the test images.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from typing import TYPE_CHECKING

from mnist_tasks import disk
from mnist_tasks.dataset_info import MOST_CLASSES, MOST_TEST_IMAGES
from mnist_tasks.errors import InputRefusedError

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    Probabilities = NDArray[np.float32]

FILE_NAME = "predictions.npz"
ARRAY = "probabilities"
MEMBER = f"{ARRAY}.npy"
# An archive can declare any unpacked size.
MOST_BYTES = 4 * MOST_TEST_IMAGES * MOST_CLASSES + 10_000
COMPRESSION = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
HEADER_BYTES = 128
# What zipfile raises for a truncated, corrupt, encrypted or invalid archive.
_UNREADABLE = (
    KeyError,
    ValueError,
    EOFError,
    RuntimeError,
    NotImplementedError,
    zipfile.BadZipFile,
    zlib.error,
)


def save(probabilities: Probabilities, folder: Path) -> Path:
    """Write predictions to the folder of a run, atomically, and return the path."""
    path = folder / FILE_NAME
    with disk.writable(folder, remedy="Name another folder with --runs."):
        disk.write(path, to_bytes(probabilities), staging=folder.parent)
    return path


def to_bytes(probabilities: Probabilities) -> bytes:
    """Return the content of a file with predictions."""
    import numpy as np

    content = io.BytesIO()
    np.savez(content, probabilities=probabilities)
    return content.getvalue()


def load(folder: Path, *, classes: int, sha256: str | None = None) -> Probabilities:
    """Read the predictions in the folder of a run; refuse them if they are not valid.

    `classes` is the number of columns that the array must have. `sha256` is the file's hash in the
    record; without it, the file is not compared.
    """
    path = folder / FILE_NAME
    try:
        content = disk.read_regular(path, limit=MOST_BYTES)
        found: Probabilities | str
        digest = hashlib.sha256(content).hexdigest()
        if sha256 in (None, digest):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                member = archive.getinfo(MEMBER)
                if member.file_size > MOST_BYTES:
                    found = f"{member.file_size:,} bytes"
                elif member.compress_type not in COMPRESSION:
                    found = "a compression that NumPy does not use"
                else:
                    found = _read(archive, classes)
        else:
            found = f"SHA-256 {digest}, but its record has {sha256}"
    except OSError as error:
        found = error.strerror or str(error)
    except _UNREADABLE as error:
        found = f"{type(error).__name__} while reading it"
    if not isinstance(found, str):
        return found
    raise InputRefusedError(
        str(path),
        expected=f"predictions: '{ARRAY}', (n, {classes}) float32 in [0, 1]",
        found=found,
        remedy="Run `mnist-tasks check` on the model of the run to write them.",
    )


def _read(archive: zipfile.ZipFile, classes: int) -> Probabilities | str:
    """Return the array, or why it is not valid; the header is compared and never parsed."""
    import numpy as np

    content = archive.read(MEMBER)
    rows, rest = divmod(len(content) - HEADER_BYTES, 4 * classes)
    if rest or not content.startswith(_header(rows, classes)):
        return "another kind of array, or an incomplete one"
    values = np.frombuffer(content, dtype="<f4", offset=HEADER_BYTES).reshape(rows, classes)
    if not ((values >= 0) & (values <= 1)).all():
        return "values outside [0, 1]"
    return values


def _header(rows: int, classes: int) -> bytes:
    """Return the header that NumPy writes for such an array."""
    import numpy as np

    file = io.BytesIO()
    header = {"descr": "<f4", "fortran_order": False, "shape": (rows, classes)}
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue()
