"""Counts, predictions and suggested bounds of false alarms, compared with simulated checks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from mnist_tasks.checking import paired_test
from mnist_tasks.checking.contract import Baseline
from mnist_tasks.checking.paired_test import PairedCounts
from mnist_tasks.checking.proportions import ProportionBound
from mnist_tasks.sweeping import false_alarms
from mnist_tasks.verdict import Clause, Direction, Verdict

if TYPE_CHECKING:
    from mnist_tasks.sweeping.false_alarms import ClauseFalseAlarms

SHAPE = Clause(name="input shape", bound="(None, 28, 28, 1)", found="it", status="passed")
IMAGES = 10_000


def verdict(correct: int, share: ProportionBound) -> Verdict:
    return Verdict(clauses=(SHAPE, share.evaluate("test accuracy", correct=correct, images=IMAGES)))


def estimate(
    correct: list[int], share: ProportionBound, rate: float = 0.05
) -> tuple[ClauseFalseAlarms, ClauseFalseAlarms, ClauseFalseAlarms]:
    found = false_alarms.count(
        "default",
        [verdict(each, share) for each in correct],
        target_rate=rate,
        uses_interval=share.confidence is not None,
    )
    assert found.runs == len(correct)
    shape, accuracy, whole = found.clauses
    return shape, accuracy, whole


def test_alarms_are_counted_with_their_interval() -> None:
    shape, accuracy, whole = estimate([9900, 9910, 9890, 9700], ProportionBound(bound=0.98))
    assert (shape.alarms, accuracy.alarms, whole.alarms) == (0, 1, 1)
    assert accuracy.rate == 0.25
    assert (round(accuracy.low, 3), round(accuracy.high, 3)) == (0.046, 0.699)  # Wilson's, 1 of 4
    assert (shape.predicted, shape.suggested, shape.found) == (None, None, None)
    assert whole.name == "the contract"


@pytest.mark.slow
@pytest.mark.parametrize("direction", ["above", "below"])
@pytest.mark.parametrize("confidence", [None, 0.99])
def test_a_suggested_bound_has_the_target_rate(
    direction: Direction, confidence: float | None
) -> None:
    random = np.random.default_rng(1)
    rate, rounds = 0.1, 2500
    alarms = 0
    for _ in range(rounds):
        *seen, further = random.normal(9000, 100, 4).round().astype(int).tolist()
        share = ProportionBound(bound=0.9, direction=direction, confidence=confidence)
        _, accuracy, _ = estimate(seen, share, rate)
        assert accuracy.suggested is not None
        gate = ProportionBound(bound=accuracy.suggested, direction=direction, confidence=confidence)
        alarms += gate.evaluate("accuracy", correct=further, images=IMAGES).status != "passed"
    assert alarms / rounds == pytest.approx(rate, abs=0.013)  # two standard errors


def test_the_predicted_rate_matches_many_further_runs() -> None:
    random = np.random.default_rng(2)
    predicted = [
        estimate(
            random.normal(9900, 20, 10).round().astype(int).tolist(), ProportionBound(bound=0.987)
        )[1].predicted
        for _ in range(400)
    ]
    known = [each for each in predicted if each is not None]
    further = random.normal(9900, 20, 100_000) <= 9870
    # The bound is 1.5 deviations off; a prediction from ten runs should be slightly higher.
    assert float(further.mean()) == pytest.approx(0.067, abs=0.003)
    assert 0.067 < float(np.mean(known)) < 0.1


def test_one_run_or_equal_runs_predict_nothing() -> None:
    for correct in ([9900], [9900, 9900, 9900]):
        _, accuracy, _ = estimate(correct, ProportionBound(bound=0.98))
        assert (accuracy.predicted, accuracy.suggested) == (None, None)
        assert accuracy.found is not None
        assert accuracy.found.mean == pytest.approx(0.99)


@pytest.mark.parametrize("direction", ["above", "below"])
def test_a_bound_outside_0_to_1_is_not_suggested(direction: Direction) -> None:
    _, accuracy, _ = estimate([9000, 9900], ProportionBound(bound=0.95, direction=direction), 0.01)
    assert accuracy.predicted is not None
    assert accuracy.suggested is None


def test_a_difference_of_more_than_100_points_is_not_suggested() -> None:
    def clause(points: float) -> Clause:
        return Clause(
            name="baseline",
            bound="no worse than a.h5",
            found="",
            status="passed",
            bound_value=0.0,
            found_value=points,
            unit="points",
            direction="above",
        )

    verdicts = [Verdict(clauses=(clause(points),)) for points in (-40.0, 50.0)]
    whole = false_alarms.count("x", verdicts, target_rate=0.05, uses_interval=False)
    found = whole.clauses[0].found
    assert found is not None
    assert (found.low, found.high) == (-100, 100)
    assert whole.clauses[0].suggested is None


def test_the_value_compared_with_a_baseline_is_the_lower_end() -> None:
    baseline = Baseline(model="released.h5")
    paired = PairedCounts(images=IMAGES, correct=9900, regressed=10, fixed=20)
    clause = paired_test.evaluate(baseline, paired, confidence=0.99, reason="")
    verdicts = [Verdict(clauses=(clause,))]
    found = false_alarms.count("x", verdicts, target_rate=0.1, uses_interval=True).clauses[0].found
    assert clause.interval is not None
    assert found is not None
    assert found.mean == clause.interval.low


def test_a_clause_with_a_missing_value_is_only_counted() -> None:
    unmeasured = Clause(name="accuracy", bound="> 98.00%", found="no", status="not measured")
    measured = ProportionBound(bound=0.98).evaluate("accuracy", correct=9900, images=IMAGES)
    clauses = [Verdict(clauses=(each,)) for each in (measured, unmeasured)]
    found = false_alarms.count("x", clauses, target_rate=0.1, uses_interval=False).clauses[0]
    assert (found.alarms, found.predicted, found.found) == (1, None, None)
