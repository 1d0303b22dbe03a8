"""How sure a count of images can make us: the intervals and the paired test of the report."""

from __future__ import annotations

import math
from statistics import NormalDist

CONFIDENCE = 0.95


def wilson_interval(successes: int, n: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return the two-sided interval of a share, in [0, 1].

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference" (1927).
    """
    if not n:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = successes / n
    centre = share + z * z / (2 * n)
    reach = z * math.sqrt(share * (1 - share) / n + (z / (2 * n)) ** 2)
    scale = 1 + z * z / n
    low = (centre - reach) / scale if successes else 0.0
    high = (centre + reach) / scale if successes < n else 1.0
    return low, high


def mcnemar_exact(b: int, c: int) -> float:
    """Return how likely two equally good models are to differ at least so much, either way.

    Q. McNemar, "Note on the sampling error of the difference between correlated proportions or
    percentages" (1947): of the images that one model alone got right, half are each one's.

    Parameters
    ----------
    b, c
        Images that only the first, and only the second, model got right.
    """
    n = b + c
    tail = sum(math.comb(n, k) for k in range(min(b, c) + 1))
    both_ways: float = 2 * tail / 2**n
    return min(1.0, both_ways)
