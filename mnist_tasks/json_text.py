"""Results as JSON that can be printed, whatever text is in them."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, fields, is_dataclass
from typing import Any

import msgspec


def to_json(value: object) -> bytes:
    r"""Return a result as an indented JSON document.

    Bytes of a path that are not UTF-8 are written as ``\xff``.
    """
    try:
        content = msgspec.json.encode(value)
    except UnicodeEncodeError:
        content = msgspec.json.encode(_encodable(value))
    text = msgspec.json.format(content, indent=2).decode() + "\n"
    # Some terminals obey C1 control characters, and text can be made to run backwards.
    return re.sub(r"[^ -~\n]", lambda found: _escaped(found[0]), text).encode()


def complete(value: Any) -> Any:
    """Return a value with all fields of its dataclasses, as dicts.

    msgspec leaves out a field that has its default because the file lacked it.
    """
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: complete(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, dict):
        return {key: complete(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [complete(each) for each in value]
    return value


def _escaped(character: str) -> str:
    return character if character.isprintable() else json.dumps(character)[1:-1]


def _encodable(value: Any) -> Any:
    """Return a value in which JSON can represent every text: a path can have any bytes."""
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, dict):
        return {_encodable(key): _encodable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_encodable(each) for each in value]
    if isinstance(value, str):
        # Python reads a byte that is not UTF-8 as a surrogate that ends with it.
        return re.sub("[\ud800-\udfff]", lambda found: f"\\x{ord(found[0]) & 0xFF:02x}", value)
    return value
