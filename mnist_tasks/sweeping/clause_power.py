"""The drop in accuracy that each clause of a contract detects, from the runs of a setting.

Clauses on numbers of images have such a power: accuracy, on unchanged and on perturbed images,
recall, and the comparison with a baseline. How the calibration error of a worse model is
distributed is unknown, and the other clauses don't depend on what a model predicts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mnist_tasks.checking import paired_test
from mnist_tasks.checking.contract import Contract
from mnist_tasks.sweeping import power, slacks
from mnist_tasks.sweeping.power import Slack
from mnist_tasks.sweeping.slacks import BoundedClause, Evaluated
from mnist_tasks.verdict import TEST_ACCURACY

WHOLE = "the contract"
HALF_PROBABILITY = 0.9


@dataclass(frozen=True, kw_only=True)
class DetectedDrops:
    """What a clause detects on these images, with its own bound or the suggested one.

    Attributes
    ----------
    bound
        In words; empty for the contract as a whole, which detects a drop in accuracy at least as
        well as each of its clauses.
    bound_value
        As that of a clause; ``None`` for the contract as a whole.
    is_suggested
        Whether the bound is the one suggested for the target false-alarm rate.
    drop_50, drop_90, drop_99
        The drops, shares of the clause's images in [0, 1], for which a further run of a recipe that
        is worse by so much does not pass, with a probability of 50, 90 and 99%. For the worst
        recall, in any single class. ``None`` if no drop is detected with that probability.
    images_for_half
        About how many images would be needed to detect half of `drop_90` with 90%, if the bound is
        chosen for the target false-alarm rate, or, for a baseline, with its tolerance; between 100
        and 10,000,000, rounded up to two digits. ``None`` if no number is enough, since the runs
        themselves differ too much or the tolerance is too large, and if there is no drop to halve.
    """

    name: str
    bound: str
    bound_value: float | None
    is_suggested: bool = False
    drop_50: float | None
    drop_90: float | None
    drop_99: float | None
    images_for_half: int | None


def estimate(
    contract: Contract, runs: Evaluated, suggested: Mapping[str, float], *, target_rate: float
) -> tuple[DetectedDrops, ...]:
    """Return what each clause detects, with each of its bounds; last, the contract as a whole.

    Nothing is said of a clause whose slack doesn't vary over the runs, and of one that no model
    passes.

    Parameters
    ----------
    suggested
        The bounds suggested for the target false-alarm rate, by the names of their clauses.
    target_rate
        In (0, 0.5).
    """
    found = [
        _detected(clause, known, len(runs.labels), target_rate)
        for clause in slacks.of_contract(contract, runs, suggested)
        if (known := [each for each in clause.slacks if each]) and len(known) == len(clause.slacks)
    ]
    on_accuracy = {TEST_ACCURACY, paired_test.NAME}
    whole = [each for each in found if each.name in on_accuracy and not each.is_suggested]
    return (*found, _whole(whole)) if whole else tuple(found)


def _detected(
    clause: BoundedClause, groups: Sequence[Slack], images: int, target_rate: float
) -> DetectedDrops:
    """Return the drops that are detected in each of the groups of images."""
    by_probability = [
        _most(power.detected_drop(slack, probability) for slack in groups)
        for probability in (0.5, HALF_PROBABILITY, 0.99)
    ]
    half = (by_probability[1] or 0.0) / 2

    def needed(slack: Slack) -> float | None:
        found = power.images_needed(slack, half, HALF_PROBABILITY, target_rate=target_rate)
        # In the whole set of images, of which a class has a share.
        return found and found * images / slack.images

    most = _most(map(needed, groups)) if half else None
    return DetectedDrops(
        name=clause.name,
        bound=clause.bound,
        bound_value=clause.bound_value,
        is_suggested=clause.is_suggested,
        drop_50=by_probability[0],
        drop_90=by_probability[1],
        drop_99=by_probability[2],
        images_for_half=None if most is None else _two_digits(most),
    )


def _two_digits(number: float) -> int:
    """Round up to two digits."""
    unit: int = 10 ** (math.floor(math.log10(number)) - 1)
    return math.ceil(number / unit) * unit


def _most(values: Iterable[float | None]) -> float | None:
    found = list(values)
    known = [each for each in found if each is not None]
    return max(known) if len(known) == len(found) else None


def _whole(clauses: Sequence[DetectedDrops]) -> DetectedDrops:
    """Return what the contract detects at least: what the best clause on accuracy does."""

    def least(values: Iterable[float | None]) -> float | None:
        return min((each for each in values if each is not None), default=None)

    best = min(clauses, key=lambda each: math.inf if each.drop_90 is None else each.drop_90)
    return DetectedDrops(
        name=WHOLE,
        bound="",
        bound_value=None,
        drop_50=least(each.drop_50 for each in clauses),
        drop_90=best.drop_90,
        drop_99=least(each.drop_99 for each in clauses),
        images_for_half=best.images_for_half,
    )
