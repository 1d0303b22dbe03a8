"""Clauses whose outcome is known before a model is seen: any model passes them, or none.

A clause that even the worst model passes tests nothing. That model is sure of the most frequent
class for every image, and as slow as the sandbox allows. A clause that a model without errors
doesn't pass can't be passed, as where there are too few images for the contract's `confidence`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from mnist_tasks import stats
from mnist_tasks.checking import checker, clauses, metrics
from mnist_tasks.checking.checker import Checker, Probabilities
from mnist_tasks.checking.clauses import Measurements
from mnist_tasks.verdict import TEST_ACCURACY, Clause
from mnist_tasks.vetting.inspection import Inspection

Clauses = dict[str, Clause]


@dataclass(frozen=True, kw_only=True)
class DecidedClause:
    """A clause whose outcome is known before a model is seen.

    Attributes
    ----------
    bound
        In words.
    outcome
        ``passed`` if it can't fail, ``not passed`` if no model can pass it.
    """

    name: str
    bound: str
    outcome: Literal["passed", "not passed"]
    reason: str


def find(gate: Checker) -> tuple[DecidedClause, ...]:
    """Return the clauses that can't fail, or that no model can pass."""
    labels, names = gate.data.labels, gate.data.info.classes
    sure = np.eye(len(names), dtype="float32")
    commonest = int(np.bincount(labels).argmax())
    worst = _evaluate(gate, np.tile(sure[commonest], (len(labels), 1)))
    best = _evaluate(gate, sure[labels])
    found = [_always_passed(clause, names[commonest]) for clause in worst.values()]
    found += [_never_passed(clause) for clause in best.values()]
    found.append(_ceiling(best))
    return tuple(each for each in found if each)


def _evaluate(gate: Checker, probabilities: Probabilities) -> Clauses:
    """Return the clauses on predictions and on latency, for one that predicts this on any images.

    Parameters
    ----------
    probabilities : (n, classes) float32 in [0, 1]
    """
    found = metrics.compute(probabilities, gate.data.labels)
    paired = None
    if gate.baseline is not None:
        paired = metrics.paired_counts(probabilities, gate.baseline, gate.data.labels)
    # Half of the calls take longer than their median, and all of them must end in time.
    slowest = gate.limits.wall_seconds / (checker.LATENCY_RUNS / 2)
    inspection = Inspection(
        sha256="",
        bytes=0,
        format="h5",
        keras="",
        layers=(),
        trainable_parameters=0,
        non_trainable_parameters=0,
        input_shapes=(),
        output_shapes=(),
        latency=(slowest,),
    )
    sets = dict.fromkeys(gate.image_sets, found)
    measured = Measurements(inspection=inspection, metrics=sets, paired=paired)
    evaluated = clauses.evaluate(gate.contract, measured, gate.data.info).clauses
    on_file = {"parameters", "bytes"}
    return {
        each.name: each
        for each in evaluated
        if each.status == "not measured" or (each.unit and each.unit not in on_file)
    }


def _always_passed(clause: Clause, named: str) -> DecidedClause | None:
    """Return a clause that the worst model passes, unless it is one that only a good one fails."""
    if clause.status != "passed" or clause.name == clauses.CEILING:
        return None
    reason = f"a model that is sure of class {named} for every image passes: {clause.found}"
    if clause.unit == "ms":
        reason = "a model as slow as that exceeds the time limit before it is measured"
    return DecidedClause(name=clause.name, bound=clause.bound, outcome="passed", reason=reason)


def _never_passed(clause: Clause) -> DecidedClause | None:
    """Return a clause that not even a model without errors passes."""
    if clause.status == "passed" or clause.name == clauses.CEILING or clause.unit == "ms":
        return None
    reason = f"a model without errors does not: {clause.reason}"
    if clause.unit == "share" and clause.errors and clause.interval:
        needed = _fewest_images(clause.bound_value or 0.0, clause.interval.confidence)
        have = f"{clause.errors.images:,} images"
        reason = f"a model without errors does not on {have}; that takes {needed:,}"
    return DecidedClause(name=clause.name, bound=clause.bound, outcome="not passed", reason=reason)


def _fewest_images(bound: float, confidence: float) -> int:
    """Return how many images it takes for the interval of 100% to be above a bound."""
    z = stats.normal_quantile(confidence)
    return math.floor(z * z * bound / (1 - bound)) + 1


def _ceiling(found: Clauses) -> DecidedClause | None:
    """Return the ceiling of the accuracy if no model is both above the bound and below it."""
    ceiling = found.get(clauses.CEILING)
    if ceiling is None or not ceiling.errors:
        return None
    floor, fewest = found[TEST_ACCURACY].errors, ceiling.errors.required
    most = floor.allowed if floor else None
    if most is None or (fewest is not None and fewest <= most):
        return None
    wrong = "more images than there are" if fewest is None else f"at least {fewest:,}"
    reason = f"a model must get {wrong} wrong, and for {TEST_ACCURACY} at most {most:,}"
    return DecidedClause(
        name=ceiling.name, bound=ceiling.bound, outcome="not passed", reason=reason
    )
