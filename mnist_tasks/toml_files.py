"""Read a TOML file that a user wrote; errors name the file and the key."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from mnist_tasks import constraints, disk
from mnist_tasks.errors import UsageError, printable

Kind = TypeVar("Kind")


def parse(path: Path, what: str) -> dict[str, Any]:
    """Read a TOML file, or raise a `UsageError` that expects `what`, such as ``a contract``."""
    try:
        return tomllib.loads(disk.read_regular(path).decode())
    except OSError as error:
        reason = error.strerror or str(error)
    # Invalid TOML or UTF-8, a number that is too long, or tables that nest too deeply.
    except (ValueError, RecursionError) as error:
        reason = printable(str(error))
    raise UsageError(str(path), expected=f"{what} in TOML", found=reason)


def convert(table: Any, kind: type[Kind], source: Path, *, name: str) -> Kind:
    """Convert a file's table as `constraints.convert_table` does; errors name the file, too."""
    with naming(source):
        return constraints.convert_table(table, kind, name)


@contextmanager
def naming(source: Path) -> Iterator[None]:
    """Add the file to the error about an invalid value, and turn an option into its key."""
    try:
        yield
    except UsageError as error:
        key = error.subject.removeprefix("--set ").removeprefix("--")
        raise error.about(f"{source}: {key}") from error
