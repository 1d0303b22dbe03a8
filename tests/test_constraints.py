"""Constrained types: an invalid value is refused by its key, with the valid ones."""

import math
from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta

from mnist_tasks import constraints
from mnist_tasks.errors import UsageError


class Shift(msgspec.Struct, frozen=True, kw_only=True):
    pixels: Annotated[int, Meta(ge=1, le=4, description="How far.")]


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    count: Annotated[int, Meta(ge=1, le=60_000)] = 1
    share: Annotated[float, Meta(ge=0, lt=1, extra={"hint": "0.95 is 95%"})] | None = None
    rate: Annotated[float, Meta(gt=0)] = 1.0
    kinds: tuple[Literal["Conv", "Dense"], ...] = ()
    shift: Shift | None = None


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Annotated[int, Meta(ge=0, le=4)], "a whole number from 0 to 4"),
        (Annotated[float, Meta(ge=0, lt=1)], "a number of at least 0, below 1"),
        (Annotated[float, Meta(gt=0, le=45)], "a number above 0, at most 45"),
        (Annotated[float, Meta(gt=0, lt=1)], "a number above 0, below 1"),
        (Annotated[float, Meta(gt=0)], "a number above 0"),
        (Annotated[float, Meta(ge=0)], "a number of at least 0"),
        (Annotated[float, Meta(lt=0.5)], "a number below 0.5"),
        (int | None, "a whole number"),
        (bool, "true or false"),
        (str | list[int], "text in quotes or a list"),
        (Literal["a", "b"] | None, "one of a, b"),
        (Shift, "a table"),
    ],
)
def test_a_type_is_described_in_words(kind: Any, words: str) -> None:
    assert constraints.describe(kind) == words


def test_a_valid_table_is_converted_with_its_inner_tables() -> None:
    table = {"share": 0, "kinds": ["Dense"], "shift": {"pixels": 2}}
    expected = Bounds(share=0.0, kinds=("Dense",), shift=Shift(pixels=2))
    assert constraints.convert_table(table, Bounds, "bounds") == expected


@pytest.mark.parametrize(
    ("table", "key", "found", "expected"),
    [
        ({"count": 0}, "count", "0", "a whole number from 1 to 60,000"),
        ({"count": True}, "count", "True", "a whole number from 1 to 60,000"),
        ({"count": 10**400}, "count", "…", "a whole number from 1 to 60,000"),
        ({"share": 95}, "share", "95", "a number of at least 0, below 1: 0.95 is 95%"),
        ({"share": "0.95"}, "share", '"0.95"', "a number of at least 0, below 1: 0.95 is 95%"),
        ({"share": ""}, "share", "nothing", "a number of at least 0, below 1: 0.95 is 95%"),
        ({"rate": math.inf}, "rate", "inf", "a number above 0"),
        ({"rate": math.nan}, "rate", "nan", "a number above 0"),
        ({"rate": 10**400}, "rate", "…", "a number above 0"),
        ({"kinds": "Conv"}, "kinds", '"Conv"', "a list"),
        ({"kinds": ["Conv", "\x1b"]}, "kinds[1]", '"?"', "one of Conv, Dense"),
        ({"shift": 3}, "shift", "3", "a table"),
        ({"shift": {"pixels": 5}}, "shift.pixels", "5", "a whole number from 1 to 4"),
        ({"shift": {"px": 5}}, "shift.px", "no such key", "one of pixels"),
        ({"shift": {}}, "shift", "{}", "a table with the key pixels"),
        ({"\x1b": 1}, "?", "no such key", "one of count, kinds, rate, share, shift"),
        ([], "bounds", "[]", "a table"),
    ],
)
def test_an_invalid_value_is_named(table: Any, key: str, found: str, expected: str) -> None:
    with pytest.raises(UsageError) as caught:
        constraints.convert_table(table, Bounds, "bounds")
    assert (caught.value.subject, caught.value.expected) == (key, expected)
    assert caught.value.found.endswith(found)
