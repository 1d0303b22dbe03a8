"""The clause that a model is no worse than a baseline, tested on the images where they differ.

Two models make many of the same errors on the same images. Comparing their accuracies as if they
came from different images would miss most real differences. With a tolerance of 0 the test is
McNemar's exact test; above 0 there is no such exact test, and it is Tango's score test, which at 0
is the normal approximation of McNemar's.

Without `confidence` the clause fails only if the model is significantly worse than the baseline
minus the tolerance, at 99%. With `confidence` it passes only if the model is significantly better
than the baseline minus the tolerance (non-inferiority), fails if it is significantly worse, and is
inconclusive otherwise. With a tolerance of 0 the model must be significantly better than the
baseline.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from mnist_tasks import stats
from mnist_tasks.checking.contract import Baseline
from mnist_tasks.checking.proportions import not_measured
from mnist_tasks.verdict import DEFAULT_CONFIDENCE, Clause, Errors, Interval, Status

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


def bound_text(baseline: Baseline) -> str:
    """Return the bound in words."""
    tolerance, path = baseline.tolerance_points, baseline.path
    return (
        f"at most {tolerance:g} points worse than {path}" if tolerance else f"no worse than {path}"
    )


def evaluate(
    baseline: Baseline, paired: PairedCounts | None, *, confidence: float | None, reason: str
) -> Clause:
    """Evaluate the clause; `reason` says why there are no counts."""
    tolerance = baseline.tolerance_points
    bound = bound_text(baseline)
    if paired is None:
        return not_measured(NAME, bound, reason)
    level = confidence or DEFAULT_CONFIDENCE
    p_worse, p_better, test = _test(paired, tolerance / 100)
    alpha = (1 - level) / 2  # each side of a two-sided interval
    better = "within the tolerance" if tolerance else "better"
    status: Status = "passed"
    shown = f"shown to be {better}"
    if p_worse < alpha:
        status, shown = "failed", "shown to be worse"
    elif p_better >= alpha:
        status = "passed" if confidence is None else "inconclusive"
        shown = f"not shown to be worse or {better}"
    low, high = stats.tango_interval(paired.regressed, paired.fixed, paired.images, level)
    before = paired.correct + paired.regressed - paired.fixed
    return Clause(
        name=NAME,
        bound=bound,
        found=f"{paired.correct / paired.images:.2%}, baseline {before / paired.images:.2%}: "
        f"{paired.regressed:,} images regressed, {paired.fixed:,} fixed",
        status=status,
        bound_value=-tolerance,
        found_value=100 * (paired.fixed - paired.regressed) / paired.images,
        unit="points",
        interval=Interval(low=100 * low, high=100 * high, confidence=level),
        errors=Errors(seen=paired.images - paired.correct, images=paired.images),
        reason=f"{shown} ({test}, {stats.p_value(min(1.0, 2 * min(p_worse, p_better)))})",
    )


def _test(paired: PairedCounts, tolerance: float) -> tuple[float, float, str]:
    """Return one-sided p-values for the model being worse, and better; and the test's name."""
    if not tolerance:
        p_worse = stats.mcnemar(paired.regressed, paired.fixed)
        p_better = stats.mcnemar(paired.fixed, paired.regressed)
        return p_worse, p_better, "McNemar's exact test"
    score = stats.tango_score(paired.regressed, paired.fixed, paired.images, -tolerance)
    return _tail(-score), _tail(score), "Tango's score test"


def _tail(score: float) -> float:
    """Return the probability that a standard normal variable exceeds a score."""
    return math.erfc(score / math.sqrt(2)) / 2
