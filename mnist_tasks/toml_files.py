"""Read a TOML file that a user wrote, strictly: what is wrong in it is named by its key."""

from __future__ import annotations

import tomllib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from mnist_tasks import constraints
from mnist_tasks.errors import UsageError, printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Kind = TypeVar("Kind")


def parse(path: Path, what: str) -> dict[str, Any]:
    """Read a file.

    Parameters
    ----------
    what
        Is expected in it, in words: ``a contract``.

    Raises
    ------
    UsageError
        It can't be read, or is no TOML.
    """
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        reason = error.strerror or str(error)
    except (ValueError, RecursionError) as error:  # of TOML, of UTF-8, or of a number too long
        reason = printable(str(error))
    raise UsageError(str(path), expected=f"{what} in TOML", found=reason)


def convert(table: Any, kind: type[Kind], source: Path, *, name: str) -> Kind:
    """Convert a file's table to a structure or a dataclass, as `constraints.convert_table` does.

    Raises
    ------
    UsageError
        A key or a value is not valid. The error names the file and the key.
    """
    with naming(source):
        return constraints.convert_table(table, kind, name)


@contextmanager
def naming(source: Path) -> Iterator[None]:
    """Name the file in what is wrong with a value that it holds; an option is a key there."""
    try:
        yield
    except UsageError as error:
        raise UsageError(
            f"{source}: {error.subject.removeprefix('--set ').removeprefix('--')}",
            expected=error.expected,
            found=printable(error.found),
            remedy=error.remedy,
        ) from error
