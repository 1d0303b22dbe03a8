"""No worse than a baseline: which counts pass, fail or are inconclusive."""

import pytest

from mnist_tasks.checking import paired_test
from mnist_tasks.checking.contract import Baseline
from mnist_tasks.checking.paired_test import PairedCounts
from mnist_tasks.verdict import Clause


def evaluate(
    regressed: int,
    fixed: int,
    *,
    points: float = 0.0,
    confidence: float | None = None,
    images: int = 10_000,
) -> Clause:
    return paired_test.evaluate(
        Baseline(model="best.h5", tolerance_points=points),
        PairedCounts(images=images, correct=images - 100, regressed=regressed, fixed=fixed),
        confidence=confidence,
        reason="",
    )


# Exact one-sided p-values: 0.0039 for 8 of 8, 0.0078 for 7 of 7; the limit is 0.005.
@pytest.mark.parametrize(
    ("regressed", "fixed", "without", "with_99"),
    [
        (0, 0, "passed", "inconclusive"),
        (7, 0, "passed", "inconclusive"),
        (8, 0, "failed", "failed"),
        (0, 7, "passed", "inconclusive"),
        (0, 8, "passed", "passed"),
        (60, 60, "passed", "inconclusive"),
        (60, 30, "failed", "failed"),
        (30, 60, "passed", "passed"),
    ],
)
def test_without_tolerance_the_exact_test_decides(
    regressed: int, fixed: int, without: str, with_99: str
) -> None:
    assert evaluate(regressed, fixed).status == without
    found = evaluate(regressed, fixed, confidence=0.99)
    assert found.status == with_99
    assert "McNemar's exact test" in str(found.reason)


@pytest.mark.parametrize(
    ("regressed", "fixed", "without", "with_99"),
    [  # a tolerance of 0.2 points is 20 of 10,000 images
        (0, 0, "passed", "passed"),
        (8, 0, "passed", "passed"),
        (20, 0, "passed", "inconclusive"),
        (60, 30, "passed", "inconclusive"),
        (60, 10, "failed", "failed"),
        (30, 60, "passed", "passed"),
    ],
)
def test_the_tolerance_is_subtracted_from_the_baseline(
    regressed: int, fixed: int, without: str, with_99: str
) -> None:
    assert evaluate(regressed, fixed, points=0.2).status == without
    found = evaluate(regressed, fixed, points=0.2, confidence=0.99)
    assert found.status == with_99
    assert "Tango's score test" in str(found.reason)


@pytest.mark.parametrize("points", [0.05, 0.2, 1.0])
@pytest.mark.parametrize("level", [0.9, 0.99])
def test_with_a_tolerance_the_interval_agrees_with_the_status(points: float, level: float) -> None:
    for regressed in range(0, 200, 7):
        for fixed in range(0, 60, 9):
            found = evaluate(regressed, fixed, points=points, confidence=level)
            assert found.interval is not None
            if found.interval.high < -points:
                expected = "failed"
            else:
                expected = "passed" if found.interval.low > -points else "inconclusive"
            assert found.status == expected, (regressed, fixed)


def test_the_confidence_is_that_of_the_contract() -> None:
    assert evaluate(5, 0, confidence=0.99).status == "inconclusive"
    assert evaluate(5, 0, confidence=0.9).status == "failed"


def test_the_clause_shows_both_accuracies_and_the_counts() -> None:
    found = evaluate(30, 18, points=0.5)
    assert found.bound == "at most 0.5 points worse than best.h5"
    assert found.found == "99.00%, baseline 99.12%: 30 images regressed, 18 fixed"
    assert found.found_value == pytest.approx(-0.12)
    assert (found.bound_value, found.unit) == (-0.5, "points")
    assert found.reason == "shown to be within the tolerance (Tango's score test, p < 0.0001)"
    assert evaluate(30, 18).bound == "no worse than best.h5"
    assert evaluate(30, 18).reason == (
        "not shown to be worse or better (McNemar's exact test, p = 0.11)"
    )


def test_without_predictions_the_clause_is_not_measured() -> None:
    found = paired_test.evaluate(
        Baseline(record="runs/a"), None, confidence=None, reason="it has 2 inputs"
    )
    assert (found.status, found.found) == ("not measured", "it has 2 inputs")
    assert found.bound == "no worse than runs/a"
