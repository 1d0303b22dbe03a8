"""Intervals and tests, compared with direct computations and published figures."""

import math
from fractions import Fraction
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_tasks import stats

COUNTS = st.integers(1, 2_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
LEVELS = st.sampled_from([0.5, 0.9, 0.95, 0.99, 0.999])


@given(COUNTS, LEVELS)
def test_the_wilson_interval_ends_where_the_score_test_rejects(
    count: tuple[int, int], level: float
) -> None:
    right, images = count
    z = stats.normal_quantile(level)
    low, high = stats.wilson_interval(right, images, level)
    share = right / images
    assert 0 <= low <= share <= high <= 1
    for end in (low, high):
        if 0 < end < 1:
            error = math.sqrt(end * (1 - end) / images)
            assert abs(share - end) == pytest.approx(z * error, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize(
    ("right", "images", "interval"),
    [  # Newcombe, "Two-sided confidence intervals for the single proportion" (1998), table I
        (81, 263, (0.2553, 0.3662)),
        (15, 148, (0.0624, 0.1605)),
        (0, 20, (0.0, 0.1611)),
        (1, 29, (0.0061, 0.1718)),
    ],
)
def test_the_wilson_interval_matches_published_ones(
    right: int, images: int, interval: tuple[float, float]
) -> None:
    assert stats.wilson_interval(right, images, 0.95) == pytest.approx(interval, abs=5e-5)


def test_the_wilson_interval_of_no_images_and_of_extreme_counts() -> None:
    assert stats.wilson_interval(0, 0, 0.99) == (0, 1)
    assert stats.wilson_interval(0, 10, 0.99)[0] == 0
    assert stats.wilson_interval(10, 10, 0.99)[1] == 1


@pytest.mark.parametrize(
    ("draws", "expected"),
    [  # Harter, "Expected values of normal order statistics" (1961), table 1
        (1, 0.0),
        (2, 0.56419),
        (3, 0.84628),
        (10, 1.53875),
        (50, 2.24907),
        (100, 2.50759),
        (400, 2.96818),
    ],
)
def test_the_expected_maximum_of_normal_draws_matches_a_published_table(
    draws: int, expected: float
) -> None:
    assert stats.expected_maximum(draws) == pytest.approx(expected, abs=6e-6)


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_a_binomial_tail(regressed: int, fixed: int) -> None:
    total = regressed + fixed
    expected = sum(Fraction(math.comb(total, k), 2**total) for k in range(regressed, total + 1))
    assert stats.mcnemar(regressed, fixed) == pytest.approx(float(expected), rel=1e-12)


@given(st.integers(0, 300), st.integers(0, 300))
def test_the_tails_of_mcnemar_overlap_in_the_observed_count(regressed: int, fixed: int) -> None:
    both = stats.mcnemar(regressed, fixed) + stats.mcnemar(fixed, regressed)
    same = math.comb(regressed + fixed, regressed) / 2 ** (regressed + fixed)
    assert both == pytest.approx(1 + same)


def test_mcnemar_with_thousands_of_images() -> None:
    assert stats.mcnemar(0, 0) == 1
    assert stats.mcnemar(5_000, 5_000) == pytest.approx(0.504, abs=1e-3)
    assert stats.mcnemar(10_000, 0) == 0.0  # below the smallest float


@given(st.integers(0, 50), st.integers(0, 50), st.integers(100, 300))
def test_the_tango_score_of_no_difference_is_mcnemars(
    regressed: int, fixed: int, images: int
) -> None:
    expected = (fixed - regressed) / math.sqrt(fixed + regressed) if fixed + regressed else 0.0
    assert stats.tango_score(regressed, fixed, images, 0.0) == pytest.approx(expected)


@given(
    st.integers(0, 20),
    st.integers(0, 20),
    st.integers(45, 100),
    st.floats(-0.5, 0.5).filter(lambda x: abs(x) > 0.01),
)
def test_the_tango_score_uses_the_maximum_likelihood_under_the_hypothesis(
    regressed: int, fixed: int, images: int, difference: float
) -> None:
    """The reference searches for the maximum instead of solving for it."""

    def likelihood(only_other: float) -> float:
        shares = (only_other, only_other + difference, 1 - 2 * only_other - difference)
        counts = (regressed, fixed, images - regressed - fixed)
        if any(share <= 0 < count for share, count in zip(shares, counts, strict=True)):
            return -math.inf
        return sum(
            count * math.log(share) for share, count in zip(shares, counts, strict=True) if count
        )

    low, high = max(0.0, -difference), (1 - difference) / 2
    for _ in range(200):  # a golden-section search is faster, but longer code
        left, right = low + (high - low) / 3, high - (high - low) / 3
        low, high = (left, high) if likelihood(left) < likelihood(right) else (low, right)
    variance = images * (2 * low + difference - difference**2)
    expected = (fixed - regressed - images * difference) / math.sqrt(variance)
    found = stats.tango_score(regressed, fixed, images, difference)
    assert found == pytest.approx(expected, rel=1e-3, abs=1e-3)


@given(st.integers(0, 40), st.integers(0, 40), st.integers(80, 10_000), LEVELS)
def test_the_tango_interval_ends_where_the_test_rejects(
    regressed: int, fixed: int, images: int, level: float
) -> None:
    low, high = stats.tango_interval(regressed, fixed, images, level)
    z = stats.normal_quantile(level)
    assert -1 <= low <= (fixed - regressed) / images <= high <= 1
    assert stats.tango_score(regressed, fixed, images, low) == pytest.approx(z, rel=1e-6)
    assert stats.tango_score(regressed, fixed, images, high) == pytest.approx(-z, rel=1e-6)
    mirrored = stats.tango_interval(fixed, regressed, images, level)
    assert mirrored == pytest.approx((-high, -low))


def test_the_tango_interval_matches_a_published_one() -> None:
    """Airway reactivity of 21 children: Fagerland, Lydersen, Laake (2014), (-0.517, -0.026)."""
    assert stats.tango_interval(7, 1, 21, 0.95) == pytest.approx((-0.517, -0.026), abs=5e-4)


@given(st.integers(0, 500), st.integers(-1, 501))
def test_the_largest_number_that_passes_is_found(total: int, last: int) -> None:
    expected = None if last < 0 else min(last, total)
    assert stats.largest(total, lambda number: number <= last) == expected


@pytest.mark.parametrize(
    ("confidence", "degrees", "published"),
    [
        (0.95, 1, 12.706),
        (0.95, 2, 4.303),
        (0.95, 3, 3.182),
        (0.95, 9, 2.262),
        (0.99, 9, 3.250),
        (0.95, 30, 2.042),
        (0.98, 1, 31.821),
        (0.99, 100, 2.626),
    ],
)
def test_students_quantiles_match_published_ones(
    confidence: float, degrees: int, published: float
) -> None:
    assert stats.student_quantile(confidence, degrees) == pytest.approx(published, abs=5e-4)


@given(st.floats(-50, 50), st.integers(1, 400))
def test_students_distribution_is_symmetric(t: float, degrees: int) -> None:
    here, there = stats.student_cdf(t, degrees), stats.student_cdf(-t, degrees)
    assert here + there == pytest.approx(1)


@pytest.mark.parametrize("t", [-50, -5, -3.1, -2, -1, -0.3, 0, 1e-9, 0.1, 0.7, 1.5, 2.6, 4, 9, 50])
def test_students_distribution_approaches_the_normal(t: float) -> None:
    assert stats.student_cdf(t, 100_000) == pytest.approx(NormalDist().cdf(t), abs=1e-5)


@pytest.mark.parametrize(("t", "degrees"), [(-37, 16), (-100, 18), (20, 52)])
def test_students_tails_stay_between_0_and_1(t: float, degrees: int) -> None:
    assert 0 <= stats.student_cdf(t, degrees) <= 1


@given(
    total=st.integers(1, 10**15),
    part=st.fractions(0, 1),
    other=st.fractions(0, 1),
    level=st.sampled_from([0.5, 0.95, 0.99, 1 - 1e-12]),
)
def test_intervals_stay_in_their_range(
    total: int, part: Fraction, other: Fraction, level: float
) -> None:
    count = math.floor(part * total)
    low, high = stats.wilson_interval(count, total, level)
    assert 0 <= low <= high <= 1
    fixed = math.floor(other * (total - count))
    low, high = stats.tango_interval(count, fixed, total, level)
    assert -1 <= low <= high <= 1
