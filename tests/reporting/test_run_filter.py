"""Which runs are listed, and in which order."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mnist_tasks.errors import UsageError
from mnist_tasks.reporting import run_filter
from mnist_tasks.reporting.run_filter import RunFilter
from mnist_tasks.sweeping.plan import Plan
from tests import examples
from tests.sweeping import runs

GOOD = examples.check()
BAD = examples.check(passed=False)
NONE = replace(BAD, metrics=None)
POOR = replace(BAD, metrics=replace(examples.metrics(), confusion=((10,) * 10,) * 10, loss=2.0))
RECORDS = (
    replace(examples.run(0, checked=GOOD), seconds={"fit": 9.0}),
    replace(examples.run(1, checked=POOR), seconds={"fit": 3.0}),
    replace(examples.run(2, checked=NONE), seconds={"fit": 5.0}),
    replace(examples.run(3), recipe={"name": "plain"}, seconds={"fit": 7.0}),
)
HERE = Path()


def seeds(**wanted: Any) -> list[int | None]:
    stored = examples.stored(*RECORDS)
    return [run.seed for run in run_filter.select(stored.runs, RunFilter(**wanted))]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, [3, 2, 1, 0]),
        ({"reverse": True}, [0, 1, 2, 3]),
        ({"most": 2}, [3, 2]),
        ({"recipe": "plain"}, [3]),
        ({"contract": "passed"}, [0]),
        ({"contract": "failed"}, [2, 1]),
        ({"contract": "unchecked"}, [3]),
        ({"above": 0.5}, [0]),
        ({"above": 0.9}, []),
        ({"since": "2026-11-22T12:00:02"}, [3, 2]),
        ({"since": "2026-11-22 12:00:02"}, [3, 2]),
        ({"since": "20261122"}, [3, 2, 1, 0]),
        ({"since": "2026-11-22T13:00:02+01:00"}, [3, 2]),
        ({"since": "2026-11-22T12:00:02-01:00"}, []),
        ({"sort": "accuracy"}, [0, 1, 2, 3]),
        ({"sort": "loss"}, [0, 1, 2, 3]),
        ({"sort": "seconds"}, [1, 2, 3, 0]),
        ({"sort": "parameters", "reverse": True}, [3, 2, 1, 0]),
    ],
)
def test_runs_are_filtered_and_sorted(wanted: dict[str, Any], expected: list[int]) -> None:
    assert seeds(**wanted) == expected


def test_runs_of_a_sweep_are_filtered_by_its_metrics() -> None:
    swept = [runs.record(job, 900 + job.config.seed) for job in Plan(seeds=(0, 1, 2)).jobs(HERE)]
    chosen = run_filter.select(examples.stored(*swept).runs, RunFilter(sort="accuracy", above=0.9))
    assert [record.seed for record in chosen] == [2, 1]


@pytest.mark.parametrize("wanted", [{"sort": "mood"}, {"contract": "maybe"}])
def test_an_invalid_order_or_status_is_refused(wanted: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as caught:
        RunFilter(**wanted)
    assert caught.value.subject == f"--{next(iter(wanted))}"
