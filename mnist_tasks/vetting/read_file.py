"""Read a model file once: a regular file of a limited size, with the bytes of its format."""

from __future__ import annotations

import errno
import hashlib
from dataclasses import dataclass
from pathlib import Path

from mnist_tasks import disk
from mnist_tasks.errors import InputRefusedError
from mnist_tasks.vetting.limits import Limits
from mnist_tasks.vetting.untrusted_text import sanitize

_MAGIC = {"h5": b"\x89HDF\r\n\x1a\n", "keras": b"PK\x03\x04"}
EXTENSIONS = {".h5": "h5", ".hdf5": "h5", ".keras": "keras"}


@dataclass(frozen=True, kw_only=True)
class ModelFileContent:
    """The bytes of a model file: exactly these are vetted, hashed and loaded."""

    name: str  # the path, as printable ASCII
    data: bytes
    file_format: str  # h5 or keras
    sha256: str


def read_model_file(path: Path, *, limits: Limits) -> ModelFileContent:
    """Read a model file once, whatever the path leads to.

    Raises
    ------
    InputRefusedError
        It is not a regular file, is too large or empty, or doesn't have its extension's format.
    """
    name = sanitize(str(path), limit=200)
    file_format = EXTENSIONS.get(path.suffix.lower())
    if file_format is None:
        raise InputRefusedError(
            name,
            found=f"the extension {sanitize(path.suffix)!r}" if path.suffix else "no extension",
            expected="a Keras model: .h5, .hdf5 or .keras",
        )
    data = _read(path, name, limits.file_bytes)
    if not data.startswith(_MAGIC[file_format]):
        raise InputRefusedError(
            name,
            found=f"its first bytes are {data[:8].hex(' ')}",
            expected={"h5": "an HDF5 file", "keras": "a zip archive"}[file_format],
            remedy="Check that the file was copied completely and that its extension is right.",
        )
    sha256 = hashlib.sha256(data).hexdigest()
    return ModelFileContent(name=name, data=data, file_format=file_format, sha256=sha256)


def _read(path: Path, name: str, limit: int) -> bytes:
    try:
        data = disk.read_regular(path, limit=limit)
    except FileNotFoundError as error:
        raise InputRefusedError(
            name,
            found="no such file",
            expected="a model file",
            remedy="Name a file that exists, or train a model with `mnist-tasks train`.",
            reason="file-missing",
        ) from error
    except OSError as error:
        found = error.strerror or str(error)
        if error.errno != errno.EFBIG:
            raise InputRefusedError(
                name, found=found, expected="a regular file that can be read"
            ) from error
        raise InputRefusedError(
            name,
            found=found,
            expected=f"at most {limit:,} bytes",
            remedy="If you trust its source, raise `bytes_below` in the contract and use `check`.",
        ) from error
    if not data:
        raise InputRefusedError(name, found="an empty file", expected="a model file")
    return data
