"""Confidence intervals and tests for counts of images.

Every interval is two-sided: at 99%, half a percent lies beyond each end.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable
from statistics import NormalDist

_ROUNDS = 60  # of bisection, beyond the precision of a float


def normal_quantile(confidence: float) -> float:
    """Return half the width of a two-sided interval, in standard errors: 2.576 at 99%."""
    return NormalDist().inv_cdf((1 + confidence) / 2)


def wilson_interval(count: int, total: int, confidence: float) -> tuple[float, float]:
    """Return the score interval of a proportion, in [0, 1].

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22
    (1927) 209-212. Unlike the normal approximation, it keeps its confidence level near 0 and 1,
    where accuracies are.
    """
    if not total:
        return 0.0, 1.0
    z = normal_quantile(confidence)
    proportion = count / total
    center = proportion + z * z / (2 * total)
    reach = z * math.sqrt(proportion * (1 - proportion) / total + (z / (2 * total)) ** 2)
    scale = 1 + z * z / total
    low = 0.0 if count == 0 else (center - reach) / scale
    high = 1.0 if count == total else (center + reach) / scale
    return low, high


def student_cdf(t: float, degrees: int) -> float:
    """Return the probability that Student's t with `degrees` degrees of freedom is at most `t`.

    M. Abramowitz, I. Stegun, "Handbook of mathematical functions" (1964), 26.7.3 and 26.7.4: a
    finite sum for whole degrees of freedom.
    """
    angle = math.atan(t / math.sqrt(degrees))
    cosine = math.cos(angle)
    is_odd = degrees % 2
    term = cosine if is_odd else 1.0
    total = 0.0
    for number in range(is_odd, degrees - 1, 2):
        total += term
        term *= cosine**2 * (number + 1) / (number + 2)
    central = math.sin(angle) * total
    proportion = 0.5 + ((angle + central) / math.pi if is_odd else central / 2)
    return min(max(proportion, 0.0), 1.0)  # rounding errors in the far tails


def student_quantile(confidence: float, degrees: int) -> float:
    """Return half the width of a two-sided interval of Student's t, in standard errors.

    >>> round(student_quantile(0.95, 9), 3)
    2.262
    """
    wanted = (1 + confidence) / 2
    high = 1.0
    while student_cdf(high, degrees) < wanted:
        high *= 2
    return _bisect(high, 0.0, lambda t: student_cdf(t, degrees) >= wanted)


def expected_maximum(draws: int) -> float:
    """Return the expected maximum of independent draws from the standard normal distribution.

    Half the mean range of L. H. C. Tippett, "On the extreme individuals and the range of samples
    taken from a normal population", Biometrika 17 (1925) 364-387: an integral, computed here by the
    trapezoidal rule.

    >>> round(expected_maximum(10), 4)
    1.5388
    """
    step = 0.01
    below = [NormalDist().cdf(step * number) for number in range(1000)]
    terms = [1 - p**draws - (1 - p) ** draws for p in below]
    return step * (sum(terms) - terms[0] / 2)


def largest(total: int, passes: Callable[[int], bool]) -> int | None:
    """Return the largest number from 0 to `total` that passes, if all smaller ones pass, too."""
    first_not = bisect_left(range(total + 1), True, key=lambda number: not passes(number))
    return first_not - 1 if first_not else None


def mcnemar(regressed: int, fixed: int) -> float:
    """Return the p-value of at least `regressed` regressions, if both models are equally good.

    The exact one-sided test of Q. McNemar, "Note on the sampling error of the difference between
    correlated proportions or percentages", Psychometrika 12 (1947) 153-157: of the images on which
    two models differ, the regressed ones follow a binomial distribution with probability one half.

    Parameters
    ----------
    regressed, fixed
        Images that only the other model, and only this one, classified correctly.
    """
    total = regressed + fixed
    ways: int = math.comb(total, regressed)
    term = ways
    for number in range(regressed, total):
        term = term * (total - number) // (number + 1)
        ways += term
    return ways / (1 << total)


def tango_score(regressed: int, fixed: int, total: int, difference: float) -> float:
    """Return how many standard errors the observed difference lies above a hypothetical one.

    The score test for paired proportions of T. Tango, "Equivalence test and confidence interval for
    the difference in proportions for the paired-sample design", Statistics in Medicine 17 (1998)
    891-908. For a difference of 0 it is the asymptotic form of McNemar's test.

    Parameters
    ----------
    difference
        Hypothetical accuracy of this model minus that of the other, in (-1, 1).
    """
    # The root of a quadratic maximizes the likelihood under the hypothesis.
    a = 2 * total
    b = (2 * total - fixed + regressed) * difference - fixed - regressed
    c = -regressed * difference * (1 - difference)
    only_other = (math.sqrt(max(b * b - 4 * a * c, 0.0)) - b) / (2 * a)
    variance = total * (2 * only_other + difference * (1 - difference))
    excess = fixed - regressed - total * difference
    if variance <= 0:
        return math.copysign(math.inf, excess) if excess else 0.0
    return excess / math.sqrt(variance)


def tango_interval(
    regressed: int, fixed: int, total: int, confidence: float
) -> tuple[float, float]:
    """Return the score interval of the difference in accuracy: this model's minus the other's."""
    z = normal_quantile(confidence)
    observed = (fixed - regressed) / total

    def includes(difference: float) -> bool:
        return abs(tango_score(regressed, fixed, total, difference)) <= z

    return _bisect(observed, -1.0, includes), _bisect(observed, 1.0, includes)


def _bisect(inner: float, outer: float, includes: Callable[[float], bool]) -> float:
    """Return the end of an interval that includes `inner` but not `outer`."""
    for _ in range(_ROUNDS):
        middle = (inner + outer) / 2
        inner, outer = (middle, outer) if includes(middle) else (inner, middle)
    return inner


def p_value(p: float) -> str:
    """Return a p-value in words.

    >>> p_value(1e-203), p_value(0.0312)
    ('p < 0.0001', 'p = 0.031')
    """
    return "p < 0.0001" if p < 0.0001 else f"p = {p:.2g}"
