"""Convert user input to constrained types, with errors that describe the valid values.

The annotation of a setting is the only place that defines its range:

>>> from typing import Annotated
>>> from msgspec import Meta
>>> describe(Annotated[int, Meta(ge=1, le=60_000)])
'a whole number from 1 to 60,000'
>>> describe(Annotated[float, Meta(ge=0, lt=1, extra={"hint": "0.95 is 95%"})] | None)
'a number of at least 0, below 1: 0.95 is 95%'
"""

from __future__ import annotations

import contextlib
import difflib
import math
from collections.abc import Collection, Sequence
from typing import Any, TypeVar, get_type_hints

import msgspec
from msgspec import inspect

from mnist_tasks.errors import UsageError, printable

Kind = TypeVar("Kind")
_LISTS = inspect.ListType | inspect.VarTupleType
_WORDS = {
    inspect.BoolType: "true or false",
    inspect.StrType: "text in quotes",
    inspect.ListType: "a list",
    inspect.VarTupleType: "a list",
    inspect.DictType: "a table",
    inspect.StructType: "a table",
    inspect.DataclassType: "a table",
}


def describe(kind: Any) -> str:
    """Describe the valid values of a type, with the hint in its `Meta` if there is one."""
    return _words(inspect.type_info(kind))


def convert_value(value: Any, kind: Any, key: str) -> Any:
    """Convert a value, or the items of a list, to a type. Numbers must be finite.

    Raises
    ------
    UsageError
        The value has the wrong type, or is out of range. The error names `key`, and in a list the
        invalid item.
    """
    with contextlib.suppress(msgspec.ValidationError):
        converted = msgspec.convert(value, kind)
        if not isinstance(converted, float) or math.isfinite(converted):
            return converted
    for index, item in enumerate(value if isinstance(value, list) else ()):
        for listed in _alternatives(inspect.type_info(kind)):
            if isinstance(listed, _LISTS):
                _refuse_item(item, kind, f"{key}[{index}]", _words(listed.item_type))
    raise UsageError(key, expected=describe(kind), found=_shown(value))


def convert_table(table: Any, kind: type[Kind], name: str, *, prefix: str = "") -> Kind:
    """Convert a table and its inner tables to a structure or a dataclass.

    Parameters
    ----------
    name
        Name of the table, for errors about the table as a whole.
    prefix
        Prefix of the keys in errors, such as ``perturbed.``.

    Raises
    ------
    UsageError
        A key is unknown or missing, or its value has the wrong type or is out of range. The error
        gives the full name of the key: ``perturbed.shift.pixels``.
    """
    if not isinstance(table, dict):
        raise UsageError(name, expected="a table", found=printable(str(table)))
    types = get_type_hints(kind, include_extras=True)
    info: Any = inspect.type_info(kind)
    for key, value in table.items():
        path = f"{prefix}{printable(key)}"
        if key not in types:
            raise _not_one_of(path, key, types, "no such key")
        kinds = _alternatives(inspect.type_info(types[key]))
        inner = [each for each in kinds if _is_struct(each)]
        listed = [item for each in kinds for item in _items(each) if _is_struct(item)]
        if inner and isinstance(value, dict):
            convert_table(value, inner[0].cls, path, prefix=f"{path}.")
        elif listed and isinstance(value, list):
            for index, item in enumerate(value):
                _check_item(item, listed, f"{path}[{index}]")
        else:
            convert_value(value, types[key], path)
    for field in info.fields:
        if field.required and field.name not in table:
            expected = f"a table with the key {field.name}"
            raise UsageError(name, expected=expected, found=printable(str(table)))
    return msgspec.convert(table, kind)


def _check_item(item: Any, kinds: Sequence[Any], path: str) -> None:
    """Check a table in a list; if it may be of several kinds, a key of it says of which."""
    if not isinstance(item, dict):
        raise UsageError(path, expected="a table", found=_shown(item))
    tag, by_name = kinds[0].tag_field, {each.tag: each.cls for each in kinds}
    if tag is not None:
        name = item.get(tag)
        if not isinstance(name, str) or name not in by_name:
            found = "nothing" if name is None else _shown(name)
            raise _not_one_of(f"{path}.{tag}", name, by_name, found)
        item = {key: value for key, value in item.items() if key != tag}
    convert_table(item, by_name[name] if tag else kinds[0].cls, path, prefix=f"{path}.")


def suggestion(name: object, known: Collection[str]) -> str | None:
    """Return the advice to write the nearest of the known names, or ``None`` if none is near."""
    by_case = {each.lower(): each for each in known}
    nearest = difflib.get_close_matches(str(name).lower(), by_case, n=1)
    return f"Write {by_case[nearest[0]]}." if nearest else None


def _not_one_of(path: str, name: object, known: Collection[str], found: str) -> UsageError:
    expected = f"one of {', '.join(sorted(known))}"
    return UsageError(path, expected=expected, found=found, remedy=suggestion(name, known))


def _refuse_item(item: Any, kind: Any, key: str, expected: str) -> None:
    try:
        msgspec.convert([item], kind)
    except msgspec.ValidationError as error:
        raise UsageError(key, expected=expected, found=_shown(item)) from error


def _shown(value: Any) -> str:
    """Return a value as text; quotes tell the text "0.95" from the number."""
    text = printable(str(value))
    return f'"{text}"' if isinstance(value, str) and text else text or "nothing"


def _is_struct(info: inspect.Type) -> bool:
    return isinstance(info, inspect.StructType | inspect.DataclassType)


def _items(info: Any) -> list[Any]:
    """Return what a list may contain; nothing if it is another type."""
    return _alternatives(info.item_type) if isinstance(info, _LISTS) else []


def _alternatives(info: inspect.Type) -> list[Any]:
    """Return the members of a union, without ``None``."""
    if isinstance(info, inspect.Metadata):
        return _alternatives(info.type)
    if isinstance(info, inspect.UnionType):
        return [each for each in info.types if not isinstance(each, inspect.NoneType)]
    return [info]


def _words(info: inspect.Type) -> str:
    match info:
        case inspect.Metadata():
            hint = (info.extra or {}).get("hint")
            return _words(info.type) + (f": {hint}" if hint else "")
        case inspect.UnionType():
            kinds = _alternatives(info)
            if any(isinstance(each, inspect.FloatType) for each in kinds):  # also a whole number
                kinds = [each for each in kinds if not isinstance(each, inspect.IntType)]
            return " or ".join(map(_words, kinds))
        case inspect.LiteralType():
            return f"one of {', '.join(map(str, info.values))}"
        case inspect.IntType():
            return f"a whole number{_range(info)}"
        case inspect.FloatType():
            return f"a number{_range(info)}"
    return _WORDS.get(type(info), "another value")


def _range(info: inspect.IntType | inspect.FloatType) -> str:
    """Return `` from 0 to 4``, `` above 0``, or an empty string without bounds."""
    start = f" above {info.gt:,}" if info.gt is not None else ""
    end = f"below {info.lt:,}" if info.lt is not None else ""
    if info.le is not None:
        end = f"{info.le:,}" if info.ge is not None else f"at most {info.le:,}"
    if info.ge is not None and info.le is not None:
        return f" from {info.ge:,} to {end}"
    if info.ge is not None:
        start = f" of at least {info.ge:,}"
    return start + ("," if start and end else "") + (f" {end}" if end else "")
