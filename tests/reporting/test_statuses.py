"""The appearance of each status."""

from typing import get_args

from mnist_tasks.checking.results import CheckResult
from mnist_tasks.reporting import statuses
from mnist_tasks.reporting.statuses import STATUSES
from mnist_tasks.verdict import Status


def test_every_status_has_an_appearance() -> None:
    of_results = CheckResult.__annotations__["status"]
    assert "error" in of_results
    assert set(STATUSES) == {*get_args(Status), "error", statuses.UNCHECKED}


def test_only_the_statuses_of_runs_have_a_sentence() -> None:
    assert statuses.OF_RUNS == ("passed", "failed", "inconclusive", "unchecked")
