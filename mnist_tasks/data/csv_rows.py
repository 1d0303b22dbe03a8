"""Images as rows of a CSV file: a label and one number per pixel, the layout of Kaggle's files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mnist_tasks.data.streams import PIECE, Stream, UnwantedError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LONGEST_ROW = 1 << 17  # bytes: 64 x 64 pixels of three colors need 50,000
KAGGLE_COMPETITION = (42_000, 784)  # rows and pixels of its train.csv
_START = re.compile(rb'(\xef\xbb\xbf)?"?(label"?,|pixel_?\d|\d{1,3},\d{1,3},\d{1,3},)')


def looks_like_rows(start: bytes) -> bool:
    """Whether a file that starts so may be such a CSV file."""
    return _START.match(start) is not None


def skip_header(stream: Stream) -> int:
    """Read a header if there is one, and return the number of columns.

    Raises
    ------
    UnwantedError
        The rows have no labels, or are too long.
    """
    start = stream.peek(LONGEST_ROW)
    line, newline, _ = start.partition(b"\n")
    if not newline and len(start) == LONGEST_ROW:
        raise UnwantedError(f"a line of more than {LONGEST_ROW:,} bytes")
    if line.lstrip(b'\xef\xbb\xbf"').startswith(b"pixel"):
        raise UnwantedError("rows without labels, as in the test.csv of Kaggle's competition")
    if b"label" in line:
        stream.exactly(len(line + newline))
    return line.count(b",") + 1


def blocks(stream: Stream, columns: int) -> Iterator[NDArray[np.uint8]]:
    """Yield the rows in blocks.

    Yields
    ------
    rows : (n, columns) uint8

    Raises
    ------
    UnwantedError
        A value is not a whole number from 0 to 255, or a row has another number of columns.
    """
    rest, row = b"", 1
    while piece := stream.read(PIECE):
        complete, newline, rest = (rest + piece).rpartition(b"\n")
        if len(rest) > LONGEST_ROW:
            raise UnwantedError(f"a line of more than {LONGEST_ROW:,} bytes")
        if newline and complete.strip():
            block = _parse(complete, columns, row)
            row += len(block)
            yield block
    if rest.strip():
        yield _parse(rest, columns, row)


def describe(rows: int, pixels: int, *, most: int) -> str:
    """Describe rows that are not wanted, of which at most `most` were."""
    if rows > most:
        return f"more than {most:,} rows"
    text = f"{rows:,} rows of a label and {pixels} pixels"
    if (rows, pixels) == KAGGLE_COMPETITION:
        text += (
            ", as in Kaggle's competition, which has MNIST's images in another order and 28,000 of "
            "them without labels: MNIST's files can't be made from it"
        )
    return text


def _parse(text: bytes, columns: int, row: int) -> NDArray[np.uint8]:
    """Parse whole lines of numbers of up to three digits, all at once.

    `numpy.loadtxt` takes five times as long.
    """
    import numpy as np

    text = text.replace(b"\r", b"").strip(b"\n") + b"\n"
    characters = np.frombuffer(text, np.uint8)
    is_newline = characters == ord("\n")
    ends = np.flatnonzero(is_newline | (characters == ord(",")))
    lengths = np.diff(ends, prepend=-1) - 1
    line_ends = np.flatnonzero(is_newline[ends])
    where = f"from row {row:,} on"
    if (np.diff(line_ends, prepend=-1) != columns).any():
        raise UnwantedError(f"{where}: a row that does not have {columns} columns")
    digits = characters - np.uint8(ord("0"))  # of anything but a digit: more than 9
    if lengths.min() < 1 or lengths.max() > 3 or (digits > 9).sum() != len(ends):
        raise UnwantedError(f"{where}: a value that is not a whole number from 0 to 255")
    values = digits[ends - 1].astype(np.uint16)
    values += np.where(lengths > 1, digits[ends - 2], 0) * np.uint16(10)
    values += np.where(lengths > 2, digits[ends - 3], 0) * np.uint16(100)
    if values.max() > 255:
        raise UnwantedError(f"{where}: a value above 255")
    return values.astype(np.uint8).reshape(-1, columns)
