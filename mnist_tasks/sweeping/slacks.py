"""How many images the runs of a setting could lose and still pass each clause of a contract."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mnist_tasks import stats
from mnist_tasks.checking import metrics, paired_test
from mnist_tasks.checking.clauses import TEST_IMAGES, WORST_RECALL
from mnist_tasks.checking.contract import Baseline, Contract
from mnist_tasks.checking.paired_test import PairedCounts
from mnist_tasks.checking.proportions import ProportionBound
from mnist_tasks.sweeping.power import Slack
from mnist_tasks.verdict import TEST_ACCURACY

Correct = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Evaluated:
    """Which images the runs of a setting, at least two of them, classified correctly.

    Attributes
    ----------
    labels : (n,) uint8
    correct : (runs, n) bool
        By the name of the set of images.
    baseline : (n,) bool
        The same of the contract's baseline, on the unchanged images; ``None`` without one.
    """

    labels: NDArray[np.uint8]
    correct: Mapping[str, Correct]
    baseline: Correct | None = None


@dataclass(frozen=True, kw_only=True)
class BoundedClause:
    """A clause with one of its bounds.

    Attributes
    ----------
    slacks
        One, or for the worst recall that of each class; ``None`` if it doesn't vary over the runs,
        or if no model passes.
    """

    name: str
    bound: str
    bound_value: float
    slacks: list[Slack | None]
    is_suggested: bool = False


def of_contract(
    contract: Contract, runs: Evaluated, suggested: Mapping[str, float]
) -> Iterator[BoundedClause]:
    """Yield each clause on numbers of images, with its own bound and with the suggested one.

    Parameters
    ----------
    suggested
        By the names of the clauses.
    """
    yield from _of_proportions(contract, runs, suggested)
    yield from _of_baseline(contract, runs)


def _of_proportions(
    contract: Contract, runs: Evaluated, suggested: Mapping[str, float]
) -> Iterator[BoundedClause]:
    for name, bound, groups in _proportions(contract, runs):
        for value in dict.fromkeys((bound, suggested.get(name, bound))):
            each = ProportionBound(bound=value, confidence=contract.confidence)
            yield BoundedClause(
                name=name,
                bound=each.text,
                bound_value=value,
                slacks=[_proportion_slack(each, correct) for correct in groups],
                is_suggested=value != bound,
            )


def _proportions(
    contract: Contract, runs: Evaluated
) -> Iterator[tuple[str, float, tuple[Correct, ...]]]:
    """Yield each clause's name, its bound, and the (runs, n) images that it is about."""
    correct = runs.correct[TEST_IMAGES]
    yield TEST_ACCURACY, contract.accuracy_above, (correct,)
    if (bound := contract.worst_recall_above) is not None:
        classes = np.unique(runs.labels)
        yield WORST_RECALL, bound, tuple(correct[:, runs.labels == each] for each in classes)
    for name, perturbed in contract.perturbed.by_name.items() if contract.perturbed else ():
        yield perturbed.clause_name, perturbed.accuracy_above, (runs.correct[name],)


def _proportion_slack(bound: ProportionBound, correct: Correct) -> Slack | None:
    images = correct.shape[1]
    errors = bound.evaluate("", correct=images, images=images).errors
    if errors is None or errors.allowed is None:
        return None
    return _slack(correct, [errors.allowed - int(each) for each in (~correct).sum(axis=1)])


def _of_baseline(contract: Contract, runs: Evaluated) -> Iterator[BoundedClause]:
    """Yield the clause on the baseline, for which no bound is ever suggested."""
    terms, before = contract.baseline, runs.baseline
    if terms is None or before is None:
        return
    correct = runs.correct[TEST_IMAGES]
    counts = [metrics.compare(each, before) for each in correct]
    found = [_paired_slack(terms, each, contract.confidence) for each in counts]
    known = [each for each in found if each is not None]
    # What a model may lose apart from the test's standard error, of which more images leave less.
    gained = statistics.fmean(each.fixed - each.regressed for each in counts) / correct.shape[1]
    tolerance = gained + terms.tolerance_points / 100
    complete = len(known) == len(found)
    yield BoundedClause(
        name=paired_test.NAME,
        bound=paired_test.bound_text(terms),
        bound_value=-terms.tolerance_points,
        slacks=[_slack(correct, known, tolerance=tolerance) if complete else None],
    )


def _paired_slack(terms: Baseline, paired: PairedCounts, confidence: float | None) -> int | None:
    """Return how many images one run can lose; negative, how many it lacks.

    The images that it alone classified correctly are lost in proportion; ``None`` if not even a
    model without errors would pass.
    """
    wrong = paired.images - paired.correct
    both = paired.correct - paired.fixed

    def passes(number: int) -> bool:
        lost = number - wrong
        if lost >= 0:
            regressed = round(lost * both / paired.correct) if paired.correct else 0
        else:
            regressed = -round(-lost * paired.regressed / wrong)
        counts = PairedCounts(
            images=paired.images,
            correct=paired.correct - lost,
            regressed=paired.regressed + regressed,
            fixed=paired.fixed - (lost - regressed),
        )
        clause = paired_test.evaluate(terms, counts, confidence=confidence, reason="")
        return clause.status == "passed"

    most = stats.largest(paired.images, passes)
    return None if most is None else most - wrong


def _slack(
    correct: Correct, slacks: Sequence[int], *, tolerance: float | None = None
) -> Slack | None:
    """Summarize the slacks of the runs; ``None`` if they don't vary, and with a single run."""
    runs, images = correct.shape
    deviation = statistics.stdev(slacks) if runs > 1 else 0.0
    if not deviation:
        return None
    shares = correct.mean(axis=0)
    return Slack(
        runs=runs,
        images=images,
        correct=float(shares.sum()),
        mean=statistics.fmean(slacks),
        deviation=deviation,
        # Unbiased: the variance of each image's predictions over the runs.
        churn=float((shares * (1 - shares)).sum()) * runs / (runs - 1),
        tolerance=tolerance,
    )
