"""Read a TOML file that a user wrote, strictly: what is wrong in it is named by its key."""

from __future__ import annotations

import re
import tomllib
from contextlib import contextmanager
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from mnist_tasks.errors import UsageError, printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Kind = TypeVar("Kind")
_WORDS = {
    "array": "a list",
    "float": "a number",
    "int": "a whole number",
    "object": "a table",
    "str": "text in quotes",
}


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
    """Turn a table into a dataclass.

    Parameters
    ----------
    name
        Of the table, for what is wrong with the whole of it.

    Raises
    ------
    UsageError
        A value has the wrong type, or can't be.
    """
    try:
        with naming(source):
            return msgspec.convert(table, type=kind)
    except msgspec.ValidationError as error:
        raise _of_wrong_type(table, source, str(error), name) from error


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


def refuse_unknown(table: Any, kind: type[Any], source: Path, *, name: str = "") -> None:
    """Refuse a table that has a key which is none of a dataclass's fields.

    Raises
    ------
    UsageError
        It has one.
    """
    known = {field.name for field in fields(kind)}
    if isinstance(table, dict) and (unknown := table.keys() - known):
        key = f"{name}.{min(unknown)}" if name else min(unknown)
        raise UsageError(
            f"{source}: {printable(key)}",
            expected=f"one of {', '.join(sorted(known))}",
            found="unknown",
        )


def _of_wrong_type(table: Any, source: Path, message: str, name: str) -> UsageError:
    """Turn ``Expected `int`, got `str` - at `$.a.b` `` into an error that names key and value."""
    said, _, place = message.replace("`", "").partition(" - at $")
    key = place.strip(".")
    value = table
    for step in re.findall(r"[^.\[\]]+", key):
        value = value[int(step) if isinstance(value, list) else step]
    said = said.replace("Object missing required field", "with the key")
    expected = said.partition(", got ")[0].removeprefix("Expected ").removesuffix(" | null")
    return UsageError(
        f"{source}: {key or name}",
        expected=" or ".join(_WORDS.get(each, each) for each in expected.split(" | ")),
        found=printable(str(value)),
    )
