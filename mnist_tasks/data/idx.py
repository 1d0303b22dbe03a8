"""Map the array of an IDX file into memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mnist_tasks.errors import InputRefusedError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from mnist_tasks.data.datasets import DataFile


def memory_map(path: Path, file: DataFile) -> NDArray[np.uint8]:
    """Map the array of a data file into memory, read-only.

    Returns
    -------
    array : file.shape, uint8

    Raises
    ------
    InputRefusedError
        The file is missing, or is not an IDX file of that shape.
    """
    try:
        with path.open("rb") as stream:
            start = stream.read(len(file.header))
        size = path.stat().st_size
    except OSError as error:
        raise InputRefusedError(
            str(path),
            expected="a readable IDX file",
            found=error.strerror or str(error),
            remedy="Run `mnist-tasks fetch`.",
        ) from error
    if start != file.header or size != file.bytes:
        raise InputRefusedError(
            str(path),
            expected=f"an IDX file of unsigned bytes of shape {file.shape}, {file.bytes:,} bytes",
            found=f"{size:,} bytes that start with {start.hex(' ') or 'nothing'}",
            remedy="Delete the file and run `mnist-tasks fetch`.",
        )
    return np.memmap(path, dtype=np.uint8, mode="r", offset=len(start), shape=file.shape)
