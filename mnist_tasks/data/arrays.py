"""Read the images and labels of an ``.npz`` file, and check those of any file.

The files are not trusted: what a header declares is compared with a limit before it is read.
"""

from __future__ import annotations

import io
import math
import warnings
import zipfile
from pathlib import Path
from tokenize import TokenError
from typing import IO, TYPE_CHECKING, Any, cast

from mnist_tasks import disk
from mnist_tasks.data.idx import LARGEST_ARRAY, why
from mnist_tasks.data.streams import PIECE, Budget, RawFile
from mnist_tasks.dataset_info import LARGEST_SIDE
from mnist_tasks.errors import InputRefusedError, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

#: Of the files in an archive: what NumPy uses, with bounded memory.
COMPRESSION = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
LONGEST_HEADER = 10_000  # bytes, as NumPy has it
_OF_PYTHONS_PARSER = (MemoryError, RecursionError, SyntaxError, TokenError, TypeError, ValueError)
_IMAGES = f"(n, h, w) or (n, h, w, 3) uint8, with sides up to {LARGEST_SIDE}"


def read_npz(path: Path, names: Sequence[str]) -> list[NDArray[Any]]:
    """Read arrays of an ``.npz`` file, by their names.

    Raises
    ------
    InputRefusedError
        The file can't be read, has no such array, or an array is too large.
    """
    try:
        disk.require_regular(path)
        with path.open("rb") as file:
            raw = RawFile(file, Budget(4 * LARGEST_ARRAY), str(path))
            with zipfile.ZipFile(cast("IO[bytes]", raw)) as archive:
                found = _read_arrays(archive, names)
    except InputRefusedError:
        raise
    except Exception as error:  # zipfile and zlib have errors of their own
        found = why(error)
    if isinstance(found, str):
        wanted = f"an .npz file with the arrays {' and '.join(map(printable, names))}"
        raise InputRefusedError(str(path), expected=wanted, found=found)
    return found


def _read_arrays(archive: zipfile.ZipFile, names: Sequence[str]) -> list[NDArray[Any]] | str:
    members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
    arrays = []
    for name in names:
        if name not in members:
            return f"the arrays {', '.join(map(printable, sorted(members))) or 'of none'}"
        if members[name].compress_type not in COMPRESSION:
            return f"{printable(name)}: a compression that NumPy does not use"
        with archive.open(members[name]) as member:
            array = _read_array(member)
        if isinstance(array, str):
            return f"{printable(name)}: {array}"
        arrays.append(array)
    return arrays


def npy_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Read the start of an ``.npy`` file: the shape, whether it is column by column, the type.

    Raises
    ------
    ValueError
        The header is not valid.
    """
    from numpy.lib import format as npy

    start = _read(file, 12)  # what it is, its version, and the size of the rest in 2 or 4 bytes
    is_first = start[6:8] == b"\1\0"
    size = int.from_bytes(start[8 : 10 if is_first else 12], "little")
    if size > LONGEST_HEADER:  # NumPy would read it before it refuses it
        raise ValueError(f"a header of a NumPy array of {size:,} bytes")
    header = io.BytesIO(start + _read(file, size - 2 if is_first else size))
    try:
        with warnings.catch_warnings():  # NumPy has one for arrays that Python 2 wrote
            warnings.simplefilter("ignore")
            npy.read_magic(header)
            read = npy.read_array_header_1_0 if is_first else npy.read_array_header_2_0
            return read(header)
    except _OF_PYTHONS_PARSER as error:
        raise ValueError("a header of a NumPy array that is not valid") from error


def _read(file: IO[bytes], size: int) -> bytearray:
    """Read so many bytes, or what there is, in pieces."""
    content = bytearray()
    while len(content) < size and (piece := file.read(min(PIECE, size - len(content)))):
        content += piece
    return content


def _read_array(member: IO[bytes]) -> NDArray[Any] | str:
    import numpy as np

    shape, is_fortran, dtype = npy_header(member)
    if dtype.kind not in "ui":
        return f"{dtype}, not whole numbers"
    if min(shape, default=0) < 0:  # then `read` would return all that the archive unpacks to
        return f"the shape {shape}"
    if (size := math.prod(shape) * dtype.itemsize) > LARGEST_ARRAY:
        return f"{shape}, more than {LARGEST_ARRAY:,} bytes"
    content = _read(member, size)
    return np.frombuffer(content, dtype).reshape(shape, order="F" if is_fortran else "C")


def mixed(
    images: NDArray[np.uint8], labels: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Interleave images that come class by class, so that any part of them has all classes.

    Each class is spread evenly over the whole, and keeps its order. Images in any other order are
    returned as they are.
    """
    import numpy as np

    counts = np.bincount(labels)
    changes = np.count_nonzero(labels[1:] != labels[:-1])
    if changes != np.count_nonzero(counts) - 1:
        return images, labels
    by_class = np.argsort(labels, kind="stable")
    starts = np.concatenate(([0], np.cumsum(counts)[:-1]))
    places = np.empty(len(labels))
    places[by_class] = np.arange(len(labels)) - np.repeat(starts, counts) + 0.5
    order = np.lexsort((labels, places / counts[labels]))
    return images[order], labels[order]


def valid(
    images: NDArray[Any], labels: NDArray[Any], *, classes: int, most: int, origin: str
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the images and labels of a split in the form that the cache has them.

    Parameters
    ----------
    images : (n, h, w), (n, h, w, 1) or (n, h, w, 3) uint8
    labels : (n,) or (n, 1), whole numbers from 0 to ``classes - 1``
    most
        Largest number of images.

    Returns
    -------
    images : (n, h, w) or (n, h, w, 3) uint8
    labels : (n,) uint8

    Raises
    ------
    InputRefusedError
        The arrays are not those of a data set.
    """
    import numpy as np

    if images.ndim == 4 and images.shape[3] == 1:
        images = images[..., 0]
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    count, is_color = len(images), images.ndim == 4
    expected, found = _IMAGES, f"images {images.shape} {images.dtype}"
    if (
        images.dtype == np.uint8
        and images.ndim in {3, 4}
        and not (is_color and images.shape[3] != 3)
        and all(1 <= side <= LARGEST_SIDE for side in images.shape[1:3])
    ):
        if not 1 <= count <= most:
            expected, found = f"1 to {most:,} images", f"{count:,}"
        elif labels.ndim != 1 or len(labels) != count:
            expected, found = f"{count:,} labels, one for each image", f"labels {labels.shape}"
        elif labels.min() < 0 or labels.max() >= classes:
            wrong = int(labels.max() if labels.max() >= classes else labels.min())
            expected = f"labels from 0 to {classes - 1}, for {classes} classes"
            found = f"the label {wrong} (of image {int(np.argmax(labels == wrong)):,})"
        else:
            return np.ascontiguousarray(images), labels.astype(np.uint8)
    raise InputRefusedError(origin, expected=expected, found=found)
