"""A proportion of images and its bound, with and without confidence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_tasks import stats
from mnist_tasks.checking import proportions
from mnist_tasks.checking.proportions import ProportionBound
from mnist_tasks.verdict import Direction

CASES = st.integers(1, 500).flatmap(
    lambda images: st.tuples(st.just(images), st.integers(0, images))
)
BOUNDS = st.sampled_from([0.0, 0.05, 0.5, 0.9, 0.95, 0.98, 0.9999])
LEVELS = st.sampled_from([None, 0.5, 0.95, 0.99])
DIRECTIONS: st.SearchStrategy[Direction] = st.sampled_from(("above", "below"))


@given(CASES, BOUNDS, LEVELS, DIRECTIONS)
def test_the_errors_allowed_are_those_with_which_the_clause_passes(
    case: tuple[int, int], bound: float, level: float | None, direction: Direction
) -> None:
    """The reference evaluates every possible number of errors."""
    images, correct = case
    share = ProportionBound(bound=bound, direction=direction, confidence=level)
    passing = [
        errors
        for errors in range(images + 1)
        if share.evaluate("", correct=images - errors, images=images).status == "passed"
    ]
    errors = share.evaluate("", correct=correct, images=images).errors
    assert errors is not None
    assert errors.seen == images - correct
    allowed = max(passing, default=None) if direction == "above" else None
    required = min(passing, default=None) if direction == "below" else None
    assert (errors.allowed, errors.required) == (allowed, required)


@given(CASES, BOUNDS, DIRECTIONS)
def test_without_confidence_the_proportion_alone_decides(
    case: tuple[int, int], bound: float, direction: Direction
) -> None:
    images, correct = case
    found = ProportionBound(bound=bound, direction=direction).evaluate(
        "", correct=correct, images=images
    )
    share = correct / images
    passes = share > bound if direction == "above" else share < bound
    assert (found.status == "passed") == passes
    assert found.direction == direction
    assert found.status != "inconclusive"


@given(CASES, BOUNDS, st.sampled_from([0.5, 0.95, 0.99]), DIRECTIONS)
def test_with_confidence_the_interval_decides(
    case: tuple[int, int], bound: float, level: float, direction: Direction
) -> None:
    images, correct = case
    share = ProportionBound(bound=bound, direction=direction, confidence=level)
    found = share.evaluate("", correct=correct, images=images)
    low, high = stats.wilson_interval(correct, images, level)
    assert found.interval is not None
    assert (found.interval.low, found.interval.high) == (low, high)
    if low <= bound < high:
        expected = "failed" if direction == "below" and low == bound else "inconclusive"
        assert found.status == expected
    assert (found.reason is None) == (found.status != "inconclusive")


@pytest.mark.parametrize(
    ("wrong", "status"),
    [(0, "passed"), (443, "passed"), (444, "inconclusive"), (556, "inconclusive"), (562, "failed")],
)
def test_confidence_requires_more_than_the_bound(wrong: int, status: str) -> None:
    share = ProportionBound(bound=0.95, confidence=0.99)
    found = share.evaluate("", correct=10_000 - wrong, images=10_000)
    assert found.status == status
    assert found.errors is not None
    assert found.errors.allowed == 443


def test_a_bound_that_so_few_images_cannot_prove_allows_no_errors() -> None:
    found = ProportionBound(bound=0.9999, confidence=0.99).evaluate(
        "", correct=10_000, images=10_000
    )
    assert found.status == "inconclusive"
    assert found.errors is not None
    assert found.errors.allowed is None


@pytest.mark.parametrize(
    ("share", "shown"),
    [(0.95, "95.00%"), (0.9549, "95.49%"), (0.95499, "95.499%"), (0, "0.00%"), (1, "100.00%")],
)
def test_a_bound_is_shown_in_full(share: float, shown: str) -> None:
    assert proportions.percent(share) == shown
