"""Intervals and tests, held against straightforward computations and published figures."""

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
def test_wilsons_ends_are_where_the_score_test_just_rejects(
    count: tuple[int, int], level: float
) -> None:
    right, images = count
    z = stats.quantile(level)
    low, high = stats.wilson(right, images, level)
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
def test_wilson_gives_the_published_intervals(
    right: int, images: int, interval: tuple[float, float]
) -> None:
    assert stats.wilson(right, images, 0.95) == pytest.approx(interval, abs=5e-5)


def test_wilson_knows_nothing_without_images_and_excludes_nothing_at_the_ends() -> None:
    assert stats.wilson(0, 0, 0.99) == (0, 1)
    assert stats.wilson(0, 10, 0.99)[0] == 0
    assert stats.wilson(10, 10, 0.99)[1] == 1


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_adds_up_the_coin_tosses(lost: int, won: int) -> None:
    total = lost + won
    expected = sum(Fraction(math.comb(total, k), 2**total) for k in range(lost, total + 1))
    assert stats.mcnemar(lost, won) == pytest.approx(float(expected), rel=1e-12)


@given(st.integers(0, 300), st.integers(0, 300))
def test_mcnemars_tails_overlap_in_what_was_seen(lost: int, won: int) -> None:
    both = stats.mcnemar(lost, won) + stats.mcnemar(won, lost)
    same = math.comb(lost + won, lost) / 2 ** (lost + won)
    assert both == pytest.approx(1 + same)


def test_mcnemar_takes_thousands_of_images() -> None:
    assert stats.mcnemar(0, 0) == 1
    assert stats.mcnemar(5_000, 5_000) == pytest.approx(0.504, abs=1e-3)
    assert stats.mcnemar(10_000, 0) == 0.0  # below the least float


@given(st.integers(0, 50), st.integers(0, 50), st.integers(100, 300))
def test_tango_is_mcnemars_score_at_no_difference(lost: int, won: int, images: int) -> None:
    expected = (won - lost) / math.sqrt(won + lost) if won + lost else 0.0
    assert stats.tango_score(lost, won, images, 0.0) == pytest.approx(expected)


@given(
    st.integers(0, 20),
    st.integers(0, 20),
    st.integers(45, 100),
    st.floats(-0.5, 0.5).filter(lambda x: abs(x) > 0.01),
)
def test_tango_uses_the_likeliest_shares_under_the_supposition(
    lost: int, won: int, images: int, difference: float
) -> None:
    """The reference walks the likelihood instead of solving for its peak."""

    def likelihood(only_other: float) -> float:
        shares = (only_other, only_other + difference, 1 - 2 * only_other - difference)
        counts = (lost, won, images - lost - won)
        if any(share <= 0 < count for share, count in zip(shares, counts, strict=True)):
            return -math.inf
        return sum(
            count * math.log(share) for share, count in zip(shares, counts, strict=True) if count
        )

    low, high = max(0.0, -difference), (1 - difference) / 2
    for _ in range(200):  # a golden section would be quicker, and longer
        left, right = low + (high - low) / 3, high - (high - low) / 3
        low, high = (left, high) if likelihood(left) < likelihood(right) else (low, right)
    variance = images * (2 * low + difference - difference**2)
    expected = (won - lost - images * difference) / math.sqrt(variance)
    found = stats.tango_score(lost, won, images, difference)
    assert found == pytest.approx(expected, rel=1e-3, abs=1e-3)


@given(st.integers(0, 40), st.integers(0, 40), st.integers(80, 10_000), LEVELS)
def test_tangos_interval_ends_where_his_test_rejects(
    lost: int, won: int, images: int, level: float
) -> None:
    low, high = stats.tango(lost, won, images, level)
    z = stats.quantile(level)
    assert -1 <= low <= (won - lost) / images <= high <= 1
    assert stats.tango_score(lost, won, images, low) == pytest.approx(z, rel=1e-6)
    assert stats.tango_score(lost, won, images, high) == pytest.approx(-z, rel=1e-6)
    mirrored = stats.tango(won, lost, images, level)
    assert mirrored == pytest.approx((-high, -low))


def test_tango_gives_the_published_interval() -> None:
    """Airway reactivity of 21 children: Fagerland, Lydersen, Laake (2014), (-0.517, -0.026)."""
    assert stats.tango(7, 1, 21, 0.95) == pytest.approx((-0.517, -0.026), abs=5e-4)


@given(st.integers(0, 500), st.integers(-1, 501))
def test_most_finds_the_last_that_holds(total: int, last: int) -> None:
    expected = None if last < 0 else min(last, total)
    assert stats.most(total, lambda number: number <= last) == expected


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
def test_students_quantiles_are_the_published_ones(
    confidence: float, degrees: int, published: float
) -> None:
    assert stats.student_quantile(confidence, degrees) == pytest.approx(published, abs=5e-4)


@given(st.floats(-50, 50), st.integers(1, 400))
def test_students_distribution_is_symmetric_and_nears_the_normal(t: float, degrees: int) -> None:
    here, there = stats.student(t, degrees), stats.student(-t, degrees)
    assert here + there == pytest.approx(1)
    assert stats.student(t, 100_000) == pytest.approx(NormalDist().cdf(t), abs=1e-5)


@pytest.mark.parametrize(("t", "degrees"), [(-37, 16), (-100, 18), (20, 52)])
def test_students_tails_stay_between_0_and_1(t: float, degrees: int) -> None:
    assert 0 <= stats.student(t, degrees) <= 1
