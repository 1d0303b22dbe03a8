"""Read a TOML file that a user wrote; errors name the file and the key."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from mnist_tasks import constraints, disk
from mnist_tasks.errors import InputRefusedError, UsageError, printable

Kind = TypeVar("Kind")
LARGEST = 500_000  # bytes
MOST_STEPS = 5_000_000


def parse(path: Path, what: str) -> dict[str, Any]:
    """Read a TOML file, or raise an error that expects `what`, such as ``a contract``.

    Raises
    ------
    InputRefusedError
        There is no such file.
    UsageError
        The file can't be read, or is not valid TOML.
    """
    import tomllib  # slow to import, and most folders have no such file

    try:
        # Editors of Windows begin a file with a byte-order mark.
        text = disk.read_regular(path, limit=LARGEST).decode("utf-8-sig")
        if (dots := _too_many_dots(text)) is None:
            return tomllib.loads(text)
        reason = f"a line with {dots:,} dots, which takes too long to read"
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not os.path.lexists(path):
            raise InputRefusedError(
                str(path),
                expected=f"{what} in TOML",
                found="no such file",
                reason="file-missing",
            ) from error
        reason = error.strerror or str(error)
        if error.errno == errno.EFBIG:
            reason = f"{reason}, more than {LARGEST:,}"
    # Invalid TOML or UTF-8, a number that is too long, or tables that nest too deeply.
    except (ValueError, RecursionError) as error:
        reason = printable(str(error))
    raise UsageError(str(path), expected=f"{what} in TOML", found=reason)


def _too_many_dots(text: str) -> int | None:
    """Return the most dots of a line if `tomllib` would need more than about a second.

    It walks all parts of a key for each of its parts, and those of its table for each key.
    """
    dots = [line.count(".") + 1 for line in text.split("\n")]
    steps = sum(count * count for count in dots) + 3 * max(dots) * len(dots)
    return max(dots) - 1 if steps > MOST_STEPS else None


def convert(table: Any, kind: type[Kind], source: Path, *, name: str, prefix: str = "") -> Kind:
    """Convert a file's table as `constraints.convert_table` does; errors name the file, too."""
    with naming(source):
        return constraints.convert_table(table, kind, name, prefix=prefix)


@contextmanager
def naming(source: Path) -> Iterator[None]:
    """Add the file to the error about an invalid value, and turn an option into its key."""
    try:
        yield
    except UsageError as error:
        key = error.subject.removeprefix("--set ").removeprefix("--")
        raise error.about(f"{source}: {key}") from error
