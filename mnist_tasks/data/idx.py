"""The IDX format of MNIST's files: arrays of unsigned bytes with their shape before them."""

from __future__ import annotations

import hashlib
import math
import struct
from pathlib import Path
from typing import TYPE_CHECKING

from mnist_tasks import disk
from mnist_tasks.data import decompression
from mnist_tasks.data.streams import Budget, RawFile, Stream
from mnist_tasks.errors import InputRefusedError, printable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LARGEST_ARRAY = 1 << 30  # bytes


def header(shape: tuple[int, ...]) -> bytes:
    """Return the first bytes of an IDX file.

    Two zero bytes, the element type (0x08: unsigned byte), the number of dimensions, and each
    dimension as a big-endian 32-bit integer: the "IDX file format" of Y. LeCun's MNIST page.
    """
    return struct.pack(f">HBB{len(shape)}I", 0, 0x08, len(shape), *shape)


def sha256(array: NDArray[np.uint8]) -> str:
    """Return the SHA-256 of the IDX file of an array, as 64 hexadecimal digits."""
    digest = hashlib.sha256(header(array.shape))
    digest.update(array.reshape(-1).data)
    return digest.hexdigest()


def write(target: Path, array: NDArray[np.uint8]) -> Path:
    """Write an array as an IDX file, and return its path."""
    with target.open("wb") as file:
        file.write(header(array.shape))
        file.write(array.reshape(-1).data)
    return target


def read(path: Path) -> NDArray[np.uint8]:
    """Read an IDX file of unsigned bytes, gzipped or not.

    Raises
    ------
    InputRefusedError
        The file can't be read, is not such a file, or is too large.
    """
    try:
        disk.require_regular(path)
        with path.open("rb") as file:
            budget = Budget(2 * LARGEST_ARRAY)
            stream = Stream(RawFile(file, budget, str(path)).read)
            if stream.peek(2) == b"\x1f\x8b":
                stream = decompression.gunzipped(stream, budget)
            found = _parse(stream)
    except InputRefusedError:
        raise
    except Exception as error:  # zlib has errors of its own
        found = why(error)
    if isinstance(found, str):
        raise InputRefusedError(str(path), expected="an IDX file of unsigned bytes", found=found)
    return found


def _parse(file: Stream) -> NDArray[np.uint8] | str:
    import numpy as np

    magic = file.up_to(4)
    if len(magic) < 4 or magic[:3] != b"\0\0\x08" or not 1 <= magic[3] <= 4:
        return f"a file that starts with the bytes {magic.hex(' ')}" if magic else "an empty file"
    dimensions = file.up_to(4 * magic[3])
    if len(dimensions) < 4 * magic[3]:
        return "a truncated header"
    shape = struct.unpack(f">{magic[3]}I", dimensions)
    if (size := math.prod(shape)) > LARGEST_ARRAY:
        return f"{shape}, more than {LARGEST_ARRAY:,} bytes"
    content = file.up_to(size + 1)
    if len(content) != size:
        many = "more than " if len(content) > size else f"{len(content):,} of "
        return f"{many}the {size:,} bytes of its shape {shape}"
    return np.frombuffer(content, np.uint8).reshape(shape)


def why(error: Exception) -> str:
    """Return in a few words why a file can't be read."""
    if isinstance(error, FileNotFoundError):
        return "no such file"
    why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return printable(why) or type(error).__name__
