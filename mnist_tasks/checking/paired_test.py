"""The clause that a model be no worse than a baseline, decided on the images where they differ.

Two models that see the same images make much the same errors, so that comparing their accuracies
as if they came from different images would be blind to most of the difference. The test for a
tolerance of 0 is McNemar's exact one; for a tolerance above 0, where no such exact test is at hand,
Tango's score test, which is McNemar's at 0 but for its normal approximation.

Without `confidence`, the clause is broken only when the model is significantly worse than the
baseline less the tolerance, at 99%: it gives the model the benefit of the doubt. With `confidence`,
the clause holds only when the model is shown to be better than the baseline less the tolerance
(non-inferiority), is broken when it is shown to be worse, and is inconclusive in between. With a
tolerance of 0, that asks for a model that is shown to be better than the baseline.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mnist_tasks import stats
from mnist_tasks.checking.proportions import REPORTED_CONFIDENCE, not_measured
from mnist_tasks.verdict import Clause, Errors, Interval

if TYPE_CHECKING:
    from mnist_tasks.checking.contract import Baseline
    from mnist_tasks.verdict import Status

NAME = "baseline"


@dataclass(frozen=True, kw_only=True)
class PairedCounts:
    """A model and a baseline on the same images.

    Attributes
    ----------
    correct
        Images that the model classified correctly.
    regressed, fixed
        Images that only the baseline, and only the model, classified correctly.
    """

    images: int
    correct: int
    regressed: int
    fixed: int

    @property
    def p_value(self) -> float:
        """The two-sided p-value of McNemar's exact test, in [0, 1]."""
        fewer, more = sorted((self.regressed, self.fixed))
        return min(1.0, 2 * stats.mcnemar(more, fewer))


def judge(
    baseline: Baseline, paired: PairedCounts | None, *, confidence: float | None, reason: str
) -> Clause:
    """Hold a comparison against the tolerance; `reason` says why there is none."""
    tolerance = baseline.tolerance_points
    bound = f"no worse than {baseline.name}" + (f" less {tolerance:g} points" if tolerance else "")
    if paired is None:
        return not_measured(NAME, bound, reason)
    level = confidence or REPORTED_CONFIDENCE
    worse, better, test = _test(paired, tolerance / 100)
    side = (1 - level) / 2  # an interval leaves out as much on either side
    status: Status = "passed"
    shown = "no worse" if tolerance else "better"
    if worse < side:
        status, shown = "failed", "worse"
    elif better >= side:
        status = "passed" if confidence is None else "inconclusive"
        shown = f"neither worse nor {shown}"
    low, high = stats.tango(paired.regressed, paired.fixed, paired.images, level)
    before = paired.correct + paired.regressed - paired.fixed
    return Clause(
        name=NAME,
        bound=bound,
        found=f"{paired.correct / paired.images:.2%} against {before / paired.images:.2%}: "
        f"{paired.regressed:,} images regressed, {paired.fixed:,} fixed",
        status=status,
        bound_value=-tolerance,
        found_value=100 * (paired.fixed - paired.regressed) / paired.images,
        unit="points",
        interval=Interval(low=100 * low, high=100 * high, confidence=level),
        errors=Errors(seen=paired.images - paired.correct, images=paired.images),
        reason=f"shown to be {shown} ({test}, {_chance(min(1.0, 2 * min(worse, better)))})",
    )


def _test(paired: PairedCounts, tolerance: float) -> tuple[float, float, str]:
    """Return how likely what was seen is for a model that is not worse, and for one not better."""
    if not tolerance:
        worse = stats.mcnemar(paired.regressed, paired.fixed)
        better = stats.mcnemar(paired.fixed, paired.regressed)
        return worse, better, "McNemar's exact test"
    score = stats.tango_score(paired.regressed, paired.fixed, paired.images, -tolerance)
    return _tail(-score), _tail(score), "Tango's score test"


def _tail(score: float) -> float:
    """Return how likely a normal variable exceeds a score."""
    return math.erfc(score / math.sqrt(2)) / 2


def _chance(probability: float) -> str:
    """Write a two-sided probability."""
    return "p < 0.0001" if probability < 0.0001 else f"p = {probability:.2g}"
