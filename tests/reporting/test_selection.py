"""Which runs are listed, and in which order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mnist_tasks.errors import WrongUsageError
from mnist_tasks.reporting import selection
from mnist_tasks.reporting.selection import Selection
from tests import examples

GOOD = examples.check()
BAD = examples.check(holds=False)
NONE = replace(BAD, metrics=None)
POOR = replace(BAD, metrics=replace(examples.metrics(), confusion=((10,) * 10,) * 10, loss=2.0))
RECORDS = (
    replace(examples.run(0, checked=GOOD), seconds={"fit": 9.0}),
    replace(examples.run(1, checked=POOR), seconds={"fit": 3.0}),
    replace(examples.run(2, checked=NONE), seconds={"fit": 5.0}),
    replace(examples.run(3), recipe={"name": "plain"}, seconds={"fit": 7.0}),
)


def seeds(**wanted: Any) -> list[int]:
    return [record.seed for record in selection.select(RECORDS, Selection(**wanted))]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, [3, 2, 1, 0]),
        ({"reverse": True}, [0, 1, 2, 3]),
        ({"most": 2}, [3, 2]),
        ({"recipe": "plain"}, [3]),
        ({"contract": "holds"}, [0]),
        ({"contract": "broken"}, [2, 1]),
        ({"contract": "unchecked"}, [3]),
        ({"above": 0.5}, [0]),
        ({"above": 0.9}, []),
        ({"since": "2026-11-22T12:00:02"}, [3, 2]),
        ({"sort": "accuracy"}, [0, 1, 2, 3]),
        ({"sort": "loss"}, [0, 1, 2, 3]),
        ({"sort": "seconds"}, [1, 2, 3, 0]),
        ({"sort": "parameters", "reverse": True}, [3, 2, 1, 0]),
    ],
)
def test_runs_are_filtered_and_sorted(wanted: dict[str, Any], expected: list[int]) -> None:
    assert seeds(**wanted) == expected


@pytest.mark.parametrize("wanted", [{"sort": "mood"}, {"contract": "maybe"}])
def test_an_order_or_a_verdict_that_is_none_is_named(wanted: dict[str, Any]) -> None:
    with pytest.raises(WrongUsageError) as caught:
        Selection(**wanted)
    assert caught.value.subject == f"--{next(iter(wanted))}"
