"""How sure a count of images can make us: pure functions of whole numbers, on the standard library.

Every interval is two-sided: at 99%, either end leaves out half a percent.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from statistics import NormalDist
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_ROUNDS = 60  # of halving: past the precision of a float


def quantile(confidence: float) -> float:
    """Return how many standard errors a two-sided interval reaches: 2.576 at 99%."""
    return NormalDist().inv_cdf((1 + confidence) / 2)


def wilson(count: int, total: int, confidence: float) -> tuple[float, float]:
    """Return the interval of a share, in [0, 1].

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22
    (1927) 209-212: unlike the textbook's, it keeps its promise near 0 and 1, where accuracies are.
    """
    if not total:
        return 0.0, 1.0
    z = quantile(confidence)
    share = count / total
    centre = share + z * z / (2 * total)
    reach = z * math.sqrt(share * (1 - share) / total + (z / (2 * total)) ** 2)
    scale = 1 + z * z / total
    low = 0.0 if count == 0 else (centre - reach) / scale
    high = 1.0 if count == total else (centre + reach) / scale
    return low, high


def student(t: float, degrees: int) -> float:
    """Return how likely Student's t with so many degrees of freedom is to be at most `t`.

    M. Abramowitz, I. Stegun, "Handbook of mathematical functions" (1964), 26.7.3 and 26.7.4: for
    whole degrees of freedom, a finite sum.
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
    share = 0.5 + ((angle + central) / math.pi if is_odd else central / 2)
    return min(max(share, 0.0), 1.0)  # in the far tails rounding goes past the ends


def student_quantile(confidence: float, degrees: int) -> float:
    """Return how many standard errors a two-sided interval of Student's t reaches.

    >>> round(student_quantile(0.95, 9), 3)
    2.262
    """
    wanted = (1 + confidence) / 2
    low, high = 0.0, 1.0
    while student(high, degrees) < wanted:
        low, high = high, 2 * high
    for _ in range(_ROUNDS):
        middle = (low + high) / 2
        low, high = (middle, high) if student(middle, degrees) < wanted else (low, middle)
    return high


def most(total: int, holds: Callable[[int], bool]) -> int | None:
    """Return the largest number up to `total` that holds, where all below it do too."""
    first_not = bisect_left(range(total + 1), True, key=lambda number: not holds(number))
    return first_not - 1 if first_not else None


def mcnemar(lost: int, won: int) -> float:
    """Return how likely so many losses are, or more, where losses and wins are equally likely.

    The exact one-sided test of Q. McNemar, "Note on the sampling error of the difference between
    correlated proportions or percentages", Psychometrika 12 (1947) 153-157: of the images on which
    two models differ, the lost ones follow a binomial distribution with one half.

    Parameters
    ----------
    lost, won
        Images that only the other model, and only this one, got right.
    """
    total = lost + won
    ways: int = math.comb(total, lost)
    term = ways
    for number in range(lost, total):
        term = term * (total - number) // (number + 1)
        ways += term
    return ways / (1 << total)


def tango_score(lost: int, won: int, total: int, difference: float) -> float:
    """Return how many standard errors the observed difference lies above a supposed one.

    The score test for paired shares of T. Tango, "Equivalence test and confidence interval for the
    difference in proportions for the paired-sample design", Statistics in Medicine 17 (1998)
    891-908. At a supposed difference of 0 it is McNemar's, without his exactness.

    Parameters
    ----------
    difference
        Supposed accuracy of this model less that of the other, within (-1, 1).
    """
    # The likelihood is largest, under the supposition, where a quadratic has its root.
    a = 2 * total
    b = (2 * total - won + lost) * difference - won - lost
    c = -lost * difference * (1 - difference)
    only_other = (math.sqrt(max(b * b - 4 * a * c, 0.0)) - b) / (2 * a)
    variance = total * (2 * only_other + difference * (1 - difference))
    excess = won - lost - total * difference
    if variance <= 0:
        return math.copysign(math.inf, excess) if excess else 0.0
    return excess / math.sqrt(variance)


def tango(lost: int, won: int, total: int, confidence: float) -> tuple[float, float]:
    """Return the interval of the difference in accuracy, this model's less the other's."""
    z = quantile(confidence)
    observed = (won - lost) / total

    def end(outer: float, bound: float) -> float:
        inner = observed
        for _ in range(_ROUNDS):
            middle = (inner + outer) / 2
            inside = abs(tango_score(lost, won, total, middle)) <= bound
            inner, outer = (middle, outer) if inside else (inner, middle)
        return inner

    return end(-1.0, z), end(1.0, z)
