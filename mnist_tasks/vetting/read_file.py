"""Read a model file once: a regular file of a limited size, with the bytes of its format."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from mnist_tasks.errors import InputRefusedError
from mnist_tasks.vetting.limits import Limits
from mnist_tasks.vetting.untrusted_text import sanitize

_MAGIC = {"h5": b"\x89HDF\r\n\x1a\n", "keras": b"PK\x03\x04"}
_EXTENSIONS = {".h5": "h5", ".hdf5": "h5", ".keras": "keras"}


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
    file_format = _EXTENSIONS.get(path.suffix.lower())
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
    # Without O_NONBLOCK, opening a FIFO waits for a writer forever.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    flags |= getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags)
    except (OSError, ValueError) as error:
        raise InputRefusedError(
            name,
            found=getattr(error, "strerror", None) or "no such path",
            expected="a model file",
            remedy="Name a file that exists and can be read, or train a model with "
            "`mnist-tasks train`.",
        ) from error
    try:
        # From here on only the descriptor is used: the path may lead to another file by now.
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            kind = "a folder" if stat.S_ISDIR(status.st_mode) else "a pipe, socket or device"
            raise InputRefusedError(name, found=kind, expected="a regular file")
        if status.st_size == 0:
            raise InputRefusedError(name, found="an empty file", expected="a model file")
        data = b""
        if status.st_size <= limit:
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                data = file.read(limit + 1)
    finally:
        os.close(descriptor)
    if not 0 < len(data) <= limit:
        raise InputRefusedError(
            name,
            found=f"{max(status.st_size, len(data)):,} bytes",
            expected=f"at most {limit:,} bytes",
            remedy="If you trust its source, raise `bytes_below` in the contract and use `check`.",
        )
    return data
