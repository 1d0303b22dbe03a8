"""Decompress layers of an untrusted container, in pieces; see `streams`."""

from __future__ import annotations

import zlib

from mnist_tasks.data.streams import Budget, Stream, counted

XZ_MEMORY = 1 << 27  # bytes: `xz -9` needs 65 MB
_PACKED = 1 << 16  # bytes: the most that is decompressed at once


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
