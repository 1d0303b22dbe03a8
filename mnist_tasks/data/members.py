"""The members of untrusted tar and ar archives, one after the other; see `streams`."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator

from mnist_tasks.data.streams import Budget, Stream

_TAR_BLOCK = 512
_WITHOUT_CONTENT = b"123456"  # types of links, devices and folders


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
