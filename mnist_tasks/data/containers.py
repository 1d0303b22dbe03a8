"""Unpack data files from containers, recognized by content and never by name.

A container is an IDX file, a NumPy array, CSV rows, or a compressed file or archive (gzip, xz, tar,
zip, ``.npz``, ``.deb``) of such files. Containers are not trusted: an unpacked file is only a
*candidate* until its hash is verified, at most one byte more than expected is written, and no path
inside an archive is used.
"""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from mnist_tasks.data import arrays, candidates, csv_rows, decompression, members, streams
from mnist_tasks.data.candidates import Candidate, Work
from mnist_tasks.data.datasets import DataFile
from mnist_tasks.data.streams import Budget, LimitError, RawFile, Stream, UnwantedError
from mnist_tasks.errors import InputRefusedError, MnistTasksError, printable

LARGEST_OTHERS = 1 << 26  # bytes of an archive besides the data
LAYERS = 6  # a Debian package has five: ar, xz, tar, gzip, IDX
LONGEST_START = 1 << 9  # bytes that tell what a file is
MOST_PROBLEMS = 5  # noted
FORMATS = "IDX, .npz or CSV, or a zip, gzip, tar or .deb of them"


def unpack(
    container: Path, wanted: Sequence[DataFile], staging: Path, *, origin: str
) -> Iterator[Candidate]:
    """Unpack the wanted files of a container into a folder, one by one.

    Parameters
    ----------
    wanted
        May shrink meanwhile, as candidates prove right. The same file may be yielded twice.
    staging
        Folder for the candidates, each to be moved away or read before the next.
    origin
        Path or address of the container, for errors.

    Raises
    ------
    InputRefusedError
        The file is not a known container, is damaged, or has data that is not what is wanted.
    OSError
        The staging folder can't be written.
    """
    expected = [*wanted]
    unpacked_size = LARGEST_OTHERS + 8 * sum(each.bytes for each in expected)
    work = Work(wanted, staging, Budget(unpacked_size))
    with _opened(container, origin) as opened, _refusing(origin, expected):
        raw = RawFile(opened, work.budget, origin)
        stream = Stream(raw.read)
        start = stream.peek(LONGEST_START)
        if not _is_known(start):
            raise InputRefusedError(origin, expected=FORMATS, found=_describe(start))
        if _archive(start) is _from_nested_zip:
            yield from _from_zip(raw, work, LAYERS)
        else:
            yield from _unpack(stream, work, LAYERS)
        if work.problems and not {each.name for each in expected} <= work.found:
            raise UnwantedError("; ".join(work.problems))


def looks_like_data(path: Path) -> bool:
    """Whether a file starts like one of the containers.

    Raises
    ------
    InputRefusedError
        The file can't be read.
    """
    with _opened(path, str(path)) as file:
        return _is_known(RawFile(file, Budget(LONGEST_START), str(path)).read(LONGEST_START))


def _opened(path: Path, origin: str) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as error:
        found = error.strerror or str(error)
        raise InputRefusedError(origin, expected="a readable file", found=found) from error


def _is_known(start: bytes) -> bool:
    return _leaf(start) is not None or _archive(start) is not None


_Leaf = Callable[[Stream, Work], Iterator[Candidate]]
_Archive = Callable[[Stream, Work, int], Iterator[Candidate]]


def _unpack(stream: Stream, work: Work, layers: int) -> Iterator[Candidate]:
    """Unpack what is recognized; the other files of an archive do not matter."""
    start = stream.peek(LONGEST_START)
    if (leaf := _leaf(start)) is not None:
        yield from leaf(stream, work)
    elif (archive := _archive(start)) is not None and layers:
        yield from archive(stream, work, layers - 1)


def _leaf(start: bytes) -> _Leaf | None:
    if start.startswith(b"\0\0\x08"):
        return candidates.from_idx
    if start.startswith(b"\x93NUMPY"):
        return candidates.from_npy
    return candidates.from_csv if csv_rows.looks_like_rows(start) else None


def _archive(start: bytes) -> _Archive | None:
    if start[257:262] == b"ustar":
        return _from_tar
    return next((each for magic, each in _ARCHIVES.items() if start.startswith(magic)), None)


def _from_gzip(stream: Stream, work: Work, layers: int) -> Iterator[Candidate]:
    yield from _unpack(decompression.gunzipped(stream, work.budget), work, layers)


def _from_xz(stream: Stream, work: Work, layers: int) -> Iterator[Candidate]:
    yield from _unpack(decompression.unxzed(stream, work.budget), work, layers)


def _from_tar(stream: Stream, work: Work, layers: int) -> Iterator[Candidate]:
    for name, member in members.tar_members(stream, work.budget):
        yield from _from_member(name, member, work, layers)


def _from_ar(stream: Stream, work: Work, layers: int) -> Iterator[Candidate]:
    for name, member in members.ar_members(stream, work.budget):
        yield from _from_member(name, member, work, layers)


def _from_nested_zip(stream: Stream, work: Work, layers: int) -> Iterator[Candidate]:
    with tempfile.TemporaryFile(dir=work.staging) as copy:
        while piece := stream.read(streams.PIECE):
            copy.write(piece)
        yield from _from_zip(RawFile(copy, work.budget, "a copy"), work, layers)


def _from_zip(file: RawFile, work: Work, layers: int) -> Iterator[Candidate]:
    with zipfile.ZipFile(cast("IO[bytes]", file)) as archive:
        infos = archive.infolist()
        work.budget.count_members(len(infos))
        for info in infos:
            if info.is_dir() or not work.wanted:
                continue
            with _noting(info.filename, work):
                if info.compress_type not in arrays.COMPRESSION:
                    raise UnwantedError("a compression other than NumPy's")
                with archive.open(info) as opened:
                    yield from _unpack(streams.counted(opened.read, work.budget), work, layers)


def _from_member(name: str, member: Stream, work: Work, layers: int) -> Iterator[Candidate]:
    with _noting(name, work):
        if work.wanted:
            yield from _unpack(member, work, layers)


@contextmanager
def _refusing(origin: str, wanted: Sequence[DataFile]) -> Iterator[None]:
    """Raise `InputRefusedError` for whatever a bad container makes its readers raise."""
    try:
        yield
    except UnwantedError as error:
        shapes = ", ".join(f"{each.shape}" for each in wanted)
        expected = f"arrays of uint8 with the shapes {shapes}, as {FORMATS}"
        raise InputRefusedError(origin, expected=expected, found=str(error)) from error
    except Exception as error:
        if not _is_containers(error):
            raise
        kind = "one with" if isinstance(error, LimitError) else "a damaged or truncated one:"
        raise InputRefusedError(
            origin, expected="a complete archive", found=f"{kind} {_why(error)}"
        ) from error


@contextmanager
def _noting(name: str, work: Work) -> Iterator[None]:
    """Note what is wrong with a file of an archive, so that it does not spoil the others."""
    try:
        yield
    except Exception as error:
        if isinstance(error, LimitError) or not _is_containers(error):
            raise
        why = error if isinstance(error, UnwantedError) else f"can't be read ({_why(error)})"
        if len(work.problems) < MOST_PROBLEMS:
            work.problems.append(f"{printable(name)}: {why}")


def _is_containers(error: Exception) -> bool:
    """Whether the container is to blame: all its readers raise, but for a full disk."""
    return not isinstance(error, MnistTasksError | OSError)


def _why(error: Exception) -> str:
    return printable(str(error)) or type(error).__name__


def _describe(start: bytes) -> str:
    if not start:
        return "an empty file"
    if start.lstrip()[:1] == b"<":
        return f"a web page, not data: {printable(start.decode('utf-8', 'replace'), limit=60)}"
    return f"a file that starts with the bytes {start[:8].hex(' ')}"


_ARCHIVES: dict[bytes, _Archive] = {
    b"\x1f\x8b": _from_gzip,
    b"\xfd7zXZ\0": _from_xz,
    b"!<arch>\n": _from_ar,
    b"PK\x03\x04": _from_nested_zip,
}
