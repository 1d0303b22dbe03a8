"""Bounded reading of untrusted containers, one layer of bytes after another.

Neither this nor `decompression` and `members` keep more than a piece of a container in memory,
follow a path that a container names, or believe a size that it declares.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import IO

from mnist_tasks.errors import InputRefusedError

PIECE = 1 << 20  # bytes: the most that is read at once
LARGEST_READ = 2 * PIECE  # what a zip archive of so many members needs for their table
MOST_MEMBERS = 10_000
TIME_LIMIT = 300.0  # seconds: MNIST takes about 1, and 5 as CSV


class LimitError(Exception):
    """A container exceeds a limit of `Budget`."""


class UnwantedError(Exception):
    """A container can be read, but what it has is not what is wanted."""


class Budget:
    """What the unpacking of one container may still use.

    Parameters
    ----------
    size
        Most bytes that are read or decompressed, all layers together.
    """

    def __init__(self, size: int) -> None:
        self._size = self._left = size
        self._members = MOST_MEMBERS
        self._deadline = time.monotonic() + TIME_LIMIT

    def spend(self, size: int) -> None:
        """Count bytes; raise `LimitError` if there are too many, or if it takes too long."""
        self._left -= size
        if self._left < 0:
            raise LimitError(f"more than {self._size:,} bytes unpacked")
        if time.monotonic() > self._deadline:
            raise LimitError(f"more than {TIME_LIMIT:g} s of unpacking")

    def count_members(self, count: int = 1) -> None:
        """Count files of an archive; raise `LimitError` if there are too many."""
        self._members -= count
        if self._members < 0:
            raise LimitError(f"more than {MOST_MEMBERS:,} files")
        self.spend(0)


class Stream:
    """One layer of a container, such as a decompressed file; read in pieces, forwards only.

    Parameters
    ----------
    read
        Returns up to so many bytes of the layer, and none at its end.
    size
        Where the layer ends, if it is a part of another.
    """

    def __init__(self, read: Callable[[int], bytes], *, size: int | None = None) -> None:
        self._read, self._left, self._ahead = read, size, b""

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes, and none at the end.

        Raises
        ------
        EOFError
            The layer ends before its size.
        """
        if self._ahead:
            piece, self._ahead = self._ahead[:size], self._ahead[size:]
            return piece
        wanted = min(size, PIECE) if self._left is None else min(size, PIECE, self._left)
        piece = self._read(wanted) if wanted else b""
        if self._left is not None:
            if wanted and not piece:
                raise EOFError("the file ends early")
            self._left -= len(piece)
        return piece

    def peek(self, size: int) -> bytes:
        """Return the next `size` bytes, or fewer at the end, and leave them to be read."""
        if len(self._ahead) < size:
            self._ahead = self.up_to(size)
        return self._ahead[:size]

    def up_to(self, size: int) -> bytes:
        """Return the next `size` bytes, or fewer at the end."""
        pieces = bytearray()
        while len(pieces) < size and (piece := self.read(size - len(pieces))):
            pieces += piece
        return bytes(pieces)

    def exactly(self, size: int) -> bytes:
        """Return the next `size` bytes; raise `EOFError` if there are fewer."""
        content = self.up_to(size)
        if len(content) < size:
            raise EOFError("the file ends early")
        return content

    def skip(self) -> None:
        """Read to the end."""
        while self.read(PIECE):
            pass


class RawFile:
    """An open file whose reads are counted and small, and whose failures are the file's.

    It serves `zipfile`, which would read a table of contents of any declared size.
    """

    def __init__(self, file: IO[bytes], budget: Budget, origin: str) -> None:
        self._file, self._budget, self._origin = file, budget, origin
        self.tell = file.tell

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes; without a size, what is left, if that is not much."""
        if size > LARGEST_READ:
            raise LimitError(f"a table of contents of {size:,} bytes")
        try:
            content = self._file.read(LARGEST_READ if size < 0 else size)
        except OSError as error:
            raise InputRefusedError(
                self._origin, expected="a readable file", found=error.strerror or str(error)
            ) from error
        self._budget.spend(len(content))
        return content

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move to a place in the file."""
        try:
            return self._file.seek(offset, whence)
        except OSError as error:
            raise ValueError("a place before the start of the file") from error

    def seekable(self) -> bool:
        """Whether `seek` works: always."""
        return True

    def close(self) -> None:
        """Leave the file open, as its owner closes it."""


def counted(read: Callable[[int], bytes], budget: Budget) -> Stream:
    """Return a layer whose bytes count, because they were decompressed."""

    def read_and_count(size: int) -> bytes:
        piece = read(size)
        budget.spend(len(piece))
        return piece

    return Stream(read_and_count)
