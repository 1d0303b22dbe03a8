"""No worse than a baseline: what is decided by which images, and how surely."""

import pytest

from mnist_tasks.checking import paired_test
from mnist_tasks.checking.contract import Baseline
from mnist_tasks.checking.paired_test import PairedCounts
from mnist_tasks.verdict import Clause


def judge(
    lost: int,
    won: int,
    *,
    points: float = 0.0,
    confidence: float | None = None,
    images: int = 10_000,
) -> Clause:
    return paired_test.judge(
        Baseline(model="best.h5", tolerance_points=points),
        PairedCounts(images=images, correct=images - 100, regressed=lost, fixed=won),
        confidence=confidence,
        reason="",
    )


# Exact one-sided chances: 8 of 8 tosses 0.0039, 7 of 7 tosses 0.0078; half a percent is the limit.
@pytest.mark.parametrize(
    ("lost", "won", "without", "with_99"),
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
    lost: int, won: int, without: str, with_99: str
) -> None:
    assert judge(lost, won).status == without
    found = judge(lost, won, confidence=0.99)
    assert found.status == with_99
    assert "McNemar's exact test" in str(found.reason)


@pytest.mark.parametrize(
    ("lost", "won", "without", "with_99"),
    [  # a tolerance of 0.2 points is 20 of 10,000 images
        (0, 0, "passed", "passed"),
        (8, 0, "passed", "passed"),
        (20, 0, "passed", "inconclusive"),
        (60, 30, "passed", "inconclusive"),
        (60, 10, "failed", "failed"),
        (30, 60, "passed", "passed"),
    ],
)
def test_a_tolerance_forgives_as_much(lost: int, won: int, without: str, with_99: str) -> None:
    assert judge(lost, won, points=0.2).status == without
    found = judge(lost, won, points=0.2, confidence=0.99)
    assert found.status == with_99
    assert "Tango's score test" in str(found.reason)


@pytest.mark.parametrize("points", [0.05, 0.2, 1.0])
@pytest.mark.parametrize("level", [0.9, 0.99])
def test_with_a_tolerance_the_verdict_is_what_the_interval_says(
    points: float, level: float
) -> None:
    for lost in range(0, 200, 7):
        for won in range(0, 60, 9):
            found = judge(lost, won, points=points, confidence=level)
            assert found.interval is not None
            if found.interval.high < -points:
                expected = "failed"
            else:
                expected = "passed" if found.interval.low > -points else "inconclusive"
            assert found.status == expected, (lost, won)


def test_the_level_is_that_of_the_contract() -> None:
    assert judge(5, 0, confidence=0.99).status == "inconclusive"
    assert judge(5, 0, confidence=0.9).status == "failed"


def test_a_comparison_tells_both_accuracies_and_the_images() -> None:
    found = judge(30, 18, points=0.5)
    assert found.bound == "no worse than best.h5 less 0.5 points"
    assert found.found == "99.00% against 99.12%: 30 images regressed, 18 fixed"
    assert found.found_value == pytest.approx(-0.12)
    assert (found.bound_value, found.unit) == (-0.5, "points")
    assert found.reason == "shown to be no worse (Tango's score test, p < 0.0001)"
    assert judge(30, 18).bound == "no worse than best.h5"
    assert judge(30, 18).reason == (
        "shown to be neither worse nor better (McNemar's exact test, p = 0.11)"
    )


def test_without_predictions_there_is_no_comparison() -> None:
    found = paired_test.judge(
        Baseline(record="runs/a"), None, confidence=None, reason="it has 2 inputs"
    )
    assert (found.status, found.found) == ("not measured", "it has 2 inputs")
    assert found.bound == "no worse than runs/a"
