"""What is not a model file at all, and is refused before it is parsed."""

from __future__ import annotations

import os
import pickle
from typing import TYPE_CHECKING

from tests.vetting.crafted.handmade import small, write_h5
from tests.vetting.crafted.row import Row, from_bytes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def _special(name: str, reason: str, make: Callable[[Path], None]) -> Row:
    return Row(
        name=name,
        kind="no file",
        exit_code=3,
        reason=reason,
        make=lambda path, _canary: make(path),
    )


def _sparse(path: Path) -> None:
    path.write_bytes(write_h5(small()))
    os.truncate(path, 10 * 1024**4)


class _Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("true",)


ROWS = [
    _special("missing.h5", "no such file", lambda path: None),
    _special("folder.keras", "a folder", lambda path: path.mkdir()),
    _special("fifo.h5", "pipe, socket or device", os.mkfifo),
    _special("device.h5", "pipe, socket or device", lambda path: path.symlink_to("/dev/zero")),
    _special("sparse.h5", r"^[\d,]+ bytes$", _sparse),
    from_bytes("empty.h5", "no file", "empty file", bytes),
    from_bytes("empty.keras", "no file", "empty file", bytes),
    from_bytes(
        "too_large.h5", "no file", r"^[\d,]+ bytes$", lambda: write_h5(small()) + bytes(5_000_000)
    ),
    from_bytes("model.pickle", "no file", "a Python pickle", lambda: pickle.dumps(_Evil())),
    from_bytes("pickle.h5", "no file", "a Python pickle", lambda: pickle.dumps(_Evil())),
    from_bytes("only_magic.h5", "corrupt", "corrupt", lambda: b"\x89HDF\r\n\x1a\n"),
    from_bytes("noise.h5", "corrupt", "corrupt", lambda: b"\x89HDF\r\n\x1a\n" + b"\xa5" * 4000),
    from_bytes("noise.keras", "corrupt", "corrupt", lambda: b"PK\x03\x04" + b"\xa5" * 4000),
]
