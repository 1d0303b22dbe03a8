"""Text from an untrusted model file: strict JSON in, short lines of printable ASCII out."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from mnist_tasks.vetting.outcomes import Outcome

# The names that Keras generates and people write: no brackets, quotes or control characters.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:/ -]{0,199}")
_VERSION = re.compile(r"[0-9][0-9A-Za-z.+-]{0,29}")


class RefusedError(Exception):
    """Why a file is refused; the caller adds which file it was.

    Parameters
    ----------
    found, expected
        As in `MnistTasksError`; text from the file must be made printable first.
    outcome
        What that says about the file.
    remedy
        What the user can do, if there is more to say than for each file of this outcome.
    """

    def __init__(
        self,
        found: str,
        *,
        expected: str | None = None,
        outcome: Outcome = "model-unsupported",
        remedy: str | None = None,
    ) -> None:
        super().__init__(found)
        self.found = found
        self.expected = expected
        self.outcome: Outcome = outcome
        self.remedy = remedy


def sanitize(value: object, *, limit: int = 60) -> str:
    """Return a value from a file as one line of printable ASCII, at most `limit` characters."""
    text = value if isinstance(value, str) else repr(value)
    text = text[: 4 * limit].encode("ascii", "backslashreplace").decode()
    text = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
    return text if len(text) <= limit else f"{text[: limit - 3]}..."


def is_name(value: object) -> bool:
    """Return whether a value is safe as the name of a layer, a weight or a function."""
    return isinstance(value, str) and _NAME.fullmatch(value) is not None and ".." not in value


def version(value: object) -> str | None:
    """Return a value if it looks like the version of a library, such as ``2.2.4-tf``."""
    return value if isinstance(value, str) and _VERSION.fullmatch(value) else None


def read_json(data: bytes, *, what: str, limit: int) -> Any:
    """Parse JSON as Keras writes it; refuse what two parsers could read differently."""
    if len(data) > limit:
        raise RefusedError(f"{what} has {len(data):,} bytes", expected=f"at most {limit:,}")
    if not data.isascii():
        # Python's JSON writer escapes everything else, and UTF-16 could hide a second meaning.
        raise RefusedError(
            f"{what} is not plain ASCII",
            expected="JSON as Keras writes it",
            outcome="model-unreadable",
        )
    try:
        return json.loads(data.decode("ascii"), object_pairs_hook=_unique, parse_constant=_constant)
    except RecursionError:
        raise RefusedError(f"{what} is nested too deeply") from None
    except ValueError as error:
        raise RefusedError(
            f"{what} is not JSON: {sanitize(str(error))}", outcome="model-unreadable"
        ) from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = dict(pairs)
    if len(keys) != len(pairs):
        raise RefusedError("the model's JSON has a duplicate key")
    return keys


def _constant(name: str) -> NoReturn:
    raise RefusedError(f"the model's JSON contains the number {name}")
