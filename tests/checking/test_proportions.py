"""A share of images against its bound, with and without confidence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_tasks import stats
from mnist_tasks.checking import proportions
from mnist_tasks.checking.proportions import Share

CASES = st.integers(1, 500).flatmap(
    lambda images: st.tuples(st.just(images), st.integers(0, images))
)
BOUNDS = st.sampled_from([0.0, 0.05, 0.5, 0.9, 0.95, 0.98, 0.9999])
LEVELS = st.sampled_from([None, 0.5, 0.95, 0.99])


@given(CASES, BOUNDS, LEVELS, st.booleans())
def test_the_errors_that_are_allowed_are_those_with_which_it_holds(
    case: tuple[int, int], bound: float, level: float | None, is_ceiling: bool
) -> None:
    """The reference judges every count of errors that there can be."""
    images, correct = case
    share = Share(bound=bound, is_ceiling=is_ceiling, confidence=level)
    holding = [
        errors
        for errors in range(images + 1)
        if share.judge("", correct=images - errors, images=images).status == "passed"
    ]
    errors = share.judge("", correct=correct, images=images).errors
    assert errors is not None
    assert errors.seen == images - correct
    ends = (None, min(holding, default=None)) if is_ceiling else (max(holding, default=None), None)
    assert (errors.allowed, errors.required) == ends


@given(CASES, BOUNDS, st.booleans())
def test_without_confidence_the_share_alone_decides(
    case: tuple[int, int], bound: float, is_ceiling: bool
) -> None:
    images, correct = case
    found = Share(bound=bound, is_ceiling=is_ceiling).judge("", correct=correct, images=images)
    share = correct / images
    assert (found.status == "passed") == (share < bound if is_ceiling else share > bound)
    assert found.status != "inconclusive"


@given(CASES, BOUNDS, st.sampled_from([0.5, 0.95, 0.99]), st.booleans())
def test_with_confidence_the_interval_decides(
    case: tuple[int, int], bound: float, level: float, is_ceiling: bool
) -> None:
    images, correct = case
    share = Share(bound=bound, is_ceiling=is_ceiling, confidence=level)
    found = share.judge("", correct=correct, images=images)
    low, high = stats.wilson(correct, images, level)
    assert found.interval is not None
    assert (found.interval.low, found.interval.high) == (low, high)
    if low <= bound < high:
        expected = "failed" if is_ceiling and low == bound else "inconclusive"
        assert found.status == expected
    assert (found.reason is None) == (found.status != "inconclusive")


@pytest.mark.parametrize(
    ("wrong", "status"),
    [(0, "passed"), (443, "passed"), (444, "inconclusive"), (556, "inconclusive"), (562, "failed")],
)
def test_confidence_asks_for_more_than_the_bound(wrong: int, status: str) -> None:
    share = Share(bound=0.95, confidence=0.99)
    found = share.judge("", correct=10_000 - wrong, images=10_000)
    assert found.status == status
    assert found.errors is not None
    assert found.errors.allowed == 443


def test_a_bound_that_so_few_images_cant_prove_allows_no_count_of_errors() -> None:
    found = Share(bound=0.9999, confidence=0.99).judge("", correct=10_000, images=10_000)
    assert found.status == "inconclusive"
    assert found.errors is not None
    assert found.errors.allowed is None


@pytest.mark.parametrize(
    ("share", "shown"),
    [(0.95, "95.00%"), (0.9549, "95.49%"), (0.95499, "95.499%"), (0, "0.00%"), (1, "100.00%")],
)
def test_a_bound_is_shown_in_full(share: float, shown: str) -> None:
    assert proportions.percent(share) == shown
