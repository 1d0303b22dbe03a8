"""Properties of what a run records."""

import re
from dataclasses import FrozenInstanceError

import pytest

from mnist_tasks import records
from mnist_tasks.check_records import Metrics
from mnist_tasks.verdict import Clause, Verdict
from tests import examples


def test_metrics_count_correct_images() -> None:
    metrics = examples.metrics()
    assert (metrics.images, metrics.correct, metrics.accuracy) == (100, 90, 0.9)


def test_the_accuracy_on_no_images_is_zero() -> None:
    assert Metrics(confusion=((0,) * 10,) * 10, loss=0.0).accuracy == 0


def test_a_verdict_passes_only_if_every_clause_does() -> None:
    good = Clause(name="a", bound="", found="", status="passed")
    bad = Clause(name="b", bound="", found="", status="failed")
    assert Verdict(clauses=(good, good)).passed
    assert not Verdict(clauses=(good, bad)).passed
    assert not Verdict(clauses=(bad, good)).passed
    assert not Verdict(clauses=()).passed


def test_results_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        examples.run().seed = 1  # type: ignore[misc]


def test_an_id_sorts_by_time_and_is_unique() -> None:
    ids = {records.new_id() for _ in range(20)}
    assert len(ids) > 15
    assert all(re.fullmatch(r"\d{8}-\d{6}-[0-9a-f]{4}", each) for each in ids)


def test_the_time_is_in_utc() -> None:
    assert records.now().endswith("+00:00")
