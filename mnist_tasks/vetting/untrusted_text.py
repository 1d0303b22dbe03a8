"""Text from a stranger's file, made fit to read: strict JSON in, short printable words out."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

# What Keras itself gives for names, and what people write: no brackets, quotes or control codes.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:/ -]{0,199}")


class RefusedError(Exception):
    """Why a file is turned away; the caller adds which file it was.

    Parameters
    ----------
    found, expected
        As in `MnistTasksError`; ``found`` holds text of the file only as `shown` gives it.
    """

    def __init__(self, found: str, *, expected: str | None = None) -> None:
        super().__init__(found)
        self.found = found
        self.expected = expected


def shown(value: object, *, limit: int = 60) -> str:
    """Give a value from a file as one short line of printable ASCII."""
    text = value if isinstance(value, str) else repr(value)
    text = text[: 4 * limit].encode("ascii", "backslashreplace").decode()
    text = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
    return text if len(text) <= limit else f"{text[: limit - 3]}..."


def is_name(value: object) -> bool:
    """Tell whether a value could be the name of a layer, a weight or a function, and no more."""
    return isinstance(value, str) and _NAME.fullmatch(value) is not None and ".." not in value


def read_json(data: bytes, *, what: str, limit: int) -> Any:
    """Parse JSON as Keras writes it, and nothing that two parsers could read differently.

    Raises
    ------
    RefusedError
        Too long, not ASCII, nested too deep, a key twice, a number that is none.
    """
    if len(data) > limit:
        raise RefusedError(f"{what} has {len(data):,} bytes", expected=f"at most {limit:,}")
    if not data.isascii():
        # Python's own writer escapes all else, and a UTF-16 text could hide a second meaning.
        raise RefusedError(f"{what} is not plain ASCII", expected="JSON as Keras writes it")
    try:
        return json.loads(
            data.decode("ascii"), object_pairs_hook=_unique, parse_constant=_no_number
        )
    except RecursionError:
        raise RefusedError(f"{what} nests too deep to be read") from None
    except ValueError as error:
        raise RefusedError(f"{what} is not JSON: {shown(str(error))}") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = dict(pairs)
    if len(keys) != len(pairs):
        raise RefusedError("the model's JSON gives one key twice")
    return keys


def _no_number(name: str) -> NoReturn:
    raise RefusedError(f"the model's JSON holds the number {name}")
