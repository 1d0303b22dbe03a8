"""The look from outside: one regular file of a fitting size, opened once and read into memory."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mnist_tasks.errors import InputRefusedError
from mnist_tasks.vetting.untrusted_text import shown

if TYPE_CHECKING:
    from pathlib import Path

    from mnist_tasks.vetting.limits import Limits

_MAGIC = {"h5": b"\x89HDF\r\n\x1a\n", "keras": b"PK\x03\x04"}
_EXTENSIONS = {".h5": "h5", ".hdf5": "h5", ".keras": "keras"}


@dataclass(frozen=True, kw_only=True)
class Intake:
    """The bytes of a model file: the very ones that will be vetted, hashed and loaded."""

    name: str
    data: bytes
    format: str
    sha256: str


def take_in(path: Path, *, limits: Limits) -> Intake:
    """Read a model file, once, without trusting what the path names.

    Raises
    ------
    InputRefusedError
        No regular file, too large, empty, or not what its extension says.
    """
    name = shown(str(path), limit=200)
    kind = _EXTENSIONS.get(path.suffix.lower())
    if kind is None:
        raise InputRefusedError(
            name,
            found=f"the extension {shown(path.suffix)!r}" if path.suffix else "no extension",
            expected="a Keras model: .h5, .hdf5 or .keras",
        )
    data = _read(path, name, limits.file_bytes)
    if not data.startswith(_MAGIC[kind]):
        raise InputRefusedError(
            name,
            found=f"its first bytes are {data[:8].hex(' ')}",
            expected={"h5": "an HDF5 file", "keras": "a zip archive"}[kind],
            remedy="Check that the file was copied whole, and that its extension is right.",
        )
    return Intake(name=name, data=data, format=kind, sha256=hashlib.sha256(data).hexdigest())


def _read(path: Path, name: str, limit: int) -> bytes:
    # Without O_NONBLOCK the opening of a FIFO waits for a writer, for ever.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    flags |= getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no such path"
        raise InputRefusedError(
            name,
            found=reason,
            expected="a model file",
            remedy="Name one, or make one with `mnist-tasks train`.",
        ) from error
    try:
        # All that follows asks the descriptor: by now the path may name another file.
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
            remedy="If you trust its source, let `bytes_below` in a contract for `check` allow it.",
        )
    return data
