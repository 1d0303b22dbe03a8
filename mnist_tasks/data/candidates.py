"""Make candidates of data files from IDX files, NumPy arrays and CSV rows.

A candidate is an IDX file that may be one of the wanted ones; its hash decides.
"""

from __future__ import annotations

import hashlib
import io
import math
import struct
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

from mnist_tasks.data import arrays, csv_rows, datasets
from mnist_tasks.data.datasets import DataFile
from mnist_tasks.data.streams import PIECE, Budget, Stream, UnwantedError

Candidate = tuple["DataFile", "Path"]


@dataclass
class Work:
    """The unpacking of one container.

    Attributes
    ----------
    wanted
        The files that are missing, fewer as candidates prove right.
    staging
        Folder for the candidates.
    found
        Names of the files with candidates.
    problems
        What is wrong with files of the container.
    """

    wanted: Sequence[DataFile]
    staging: Path
    budget: Budget
    found: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)

    def candidate(self, alike: Sequence[DataFile], stream: Stream, start: bytes = b"") -> Candidate:
        """Write a candidate; of files with the same shape, the hash tells which one it is.

        It is cut one byte after its expected size: enough to fail verification.
        """
        file = alike[0]
        target = self.staging / file.name
        digest, left = hashlib.sha256(start), file.bytes + 1 - len(start)
        with target.open("wb") as output:
            output.write(start)
            while left > 0 and (piece := stream.read(min(PIECE, left))):
                output.write(piece)
                digest.update(piece)
                left -= len(piece)
        file = next((each for each in alike if each.sha256 == digest.hexdigest()), file)
        self.found.add(file.name)
        return file, target


def from_idx(stream: Stream, work: Work) -> Iterator[Candidate]:
    """Take an IDX file; raise `UnwantedError` if none of that shape is known."""
    dimensions = stream.peek(4)[-1]
    header = stream.peek(4 + 4 * dimensions)
    if len(header) < 4 + 4 * dimensions:
        raise EOFError("the file ends early")
    alike = [each for each in work.wanted if each.header == header]
    if alike:
        yield work.candidate(alike, stream)
    else:
        _refuse_array(struct.unpack(f">{dimensions}I", header[4:]), "uint8")


def from_npy(stream: Stream, work: Work) -> Iterator[Candidate]:
    """Take a NumPy array of bytes, with each image as rows or as one row; see `from_idx`."""
    shape, is_fortran, dtype = arrays.npy_header(cast("IO[bytes]", stream))
    alike = [
        each
        for each in work.wanted
        if each.shape[:1] == shape[:1] and math.prod(each.shape) == math.prod(shape)
    ]
    if alike and dtype == "uint8" and not is_fortran:
        yield work.candidate(alike, stream, alike[0].header)
    else:
        _refuse_array(shape, f"{dtype}{', column by column' if is_fortran else ''}")


def from_csv(stream: Stream, work: Work) -> Iterator[Candidate]:
    """Take the images and labels of CSV rows; see `from_idx`."""
    most = max((each.shape[0] for each in work.wanted), default=0)
    with tempfile.TemporaryFile(dir=work.staging) as pixels:
        labels = bytearray()
        columns = csv_rows.skip_header(stream)
        files = (*work.wanted, *_known())
        if columns - 1 not in {math.prod(each.shape[1:]) for each in files if each.shape[1:]}:
            raise UnwantedError(f"rows of {columns:,} columns")
        for rows in csv_rows.blocks(stream, columns):
            labels += rows[:, 0].tobytes()
            pixels.write(rows[:, 1:].tobytes())
            if len(labels) > most:
                break
        shapes = ((len(labels), columns - 1), (len(labels),))
        contents = (pixels, io.BytesIO(labels))
        found = False
        for shape, content in zip(shapes, contents, strict=True):
            content.seek(0)
            alike = [each for each in work.wanted if _rows(each) == shape]
            if alike:
                found = True
                yield work.candidate(alike, Stream(content.read), alike[0].header)
    if not found and not _is_known(shapes[1]):
        raise UnwantedError(csv_rows.describe(*shapes[0], most=most))


def _rows(file: DataFile) -> tuple[int, ...]:
    """Return the shape of a file with each image as one row."""
    return (file.shape[0], math.prod(file.shape[1:])) if len(file.shape) > 1 else file.shape


def _refuse_array(shape: tuple[int, ...], dtype: str) -> None:
    """Raise the error about an array of another shape or type, unless it is merely not missing."""
    if dtype != "uint8" or not _is_known(shape):
        raise UnwantedError(f"an array of {dtype} with shape {shape}")


def _is_known(shape: tuple[int, ...]) -> bool:
    return any(file.shape == shape for file in _known())


def _known() -> list[DataFile]:
    return [file for dataset in datasets.KNOWN.values() for file in dataset.files]
