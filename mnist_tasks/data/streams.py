"""Bounded reading of untrusted containers: layers of bytes, and the members of tar and ar archives.

Nothing here keeps more than a piece of a container in memory, follows a path that a container
names, or believes a size that it declares.
"""

from __future__ import annotations

import tarfile
import time
import zlib
from collections.abc import Callable, Iterator
from typing import IO

from mnist_tasks.errors import InputRefusedError

PIECE = 1 << 20  # bytes: the most that is read at once
LARGEST_READ = 2 * PIECE  # what a zip archive of so many members needs for their table
MOST_MEMBERS = 10_000
TIME_LIMIT = 300.0  # seconds: MNIST takes about 1, and 5 as CSV
XZ_MEMORY = 1 << 27  # bytes: `xz -9` needs 65 MB
_TAR_BLOCK = 512
_PACKED = 1 << 16  # bytes: the most that is decompressed at once
_WITHOUT_CONTENT = b"123456"  # types of links, devices and folders


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


def gunzipped(stream: Stream, budget: Budget) -> Stream:
    """Decompress gzip, of which a file can have several parts.

    `gzip` skips any number of empty parts before it returns a byte.
    """
    decoder, packed = zlib.decompressobj(wbits=31), b""

    def read(size: int) -> bytes:
        nonlocal decoder, packed
        while True:
            packed = packed or stream.read(_PACKED)
            if not packed and not decoder.eof:
                raise EOFError("the compressed data ends early")
            if decoder.eof:
                if not packed.startswith(b"\x1f"):  # padding, or the end
                    return b""
                budget.count_members()
                decoder = zlib.decompressobj(wbits=31)
            piece = decoder.decompress(packed, size)
            packed = decoder.unused_data if decoder.eof else decoder.unconsumed_tail
            if piece:
                return piece

    return counted(read, budget)


def unxzed(stream: Stream, budget: Budget) -> Stream:
    """Decompress xz, with a limit on the memory that it asks for."""
    import lzma  # some builds of Python lack it

    decoder = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MEMORY)

    def read(size: int) -> bytes:
        while not decoder.eof:
            more = stream.read(_PACKED) if decoder.needs_input else b""
            if decoder.needs_input and not more:
                raise EOFError("the compressed data ends early")
            if piece := decoder.decompress(more, size):
                return piece
        return b""

    return counted(read, budget)


def tar_members(stream: Stream, budget: Budget) -> Iterator[tuple[str, Stream]]:
    """Yield the regular files of a tar archive: their names, for messages, and contents.

    `tarfile` reads extended headers into memory, whatever their size. They only matter for names
    and for files of over 8 GB, so here they are skipped.
    """
    while (block := stream.up_to(_TAR_BLOCK)).strip(b"\0"):
        info = tarfile.TarInfo.frombuf(block, "utf-8", "replace")
        budget.count_members()
        size = 0 if info.type in _WITHOUT_CONTENT else info.size
        if size < 0:
            raise tarfile.TarError("a negative size")
        member = Stream(stream.read, size=size)
        if info.type in (tarfile.REGTYPE, tarfile.AREGTYPE):
            yield info.name, member
        member.skip()
        stream.exactly(-size % _TAR_BLOCK)


def ar_members(stream: Stream, budget: Budget) -> Iterator[tuple[str, Stream]]:
    """Yield the files of an ar archive, which is what a Debian package is."""
    stream.exactly(8)
    while header := stream.up_to(60):
        budget.count_members()
        digits = header[48:58].strip()
        if header[58:] != b"`\n" or not digits.isdigit():
            raise ValueError("a header that is not valid")
        size = int(digits)
        member = Stream(stream.read, size=size)
        yield header[:16].decode("latin-1").strip(" /"), member
        member.skip()
        stream.up_to(size % 2)
