"""Estimate how often a good recipe fails the contract by chance, clause by clause.

The runs of a setting differ only in their seeds, like the retrainings that the contract will check.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mnist_tasks import stats
from mnist_tasks.checking.decided import DecidedClause
from mnist_tasks.sweeping import ranking
from mnist_tasks.sweeping.clause_power import WHOLE, DetectedDrops
from mnist_tasks.sweeping.ranking import Spread
from mnist_tasks.verdict import Clause, Verdict

CONFIDENCE = 0.95
_DECIMALS = {"share": 4, "ms": 2, "points": 2}


@dataclass(frozen=True, kw_only=True)
class ClauseFalseAlarms:
    """How often a clause did not pass, and how often it is expected not to.

    Attributes
    ----------
    alarms
        Number of runs for which the clause did not pass.
    rate, low, high
        The same as a share of all runs, and its 95% interval (Wilson), in [0, 1].
    found
        The values compared with the bound, in the clause's unit: ends of intervals if the contract
        sets a confidence; ``None`` if a value is missing.
    predicted
        Expected false-alarm rate of further runs if their values are normally distributed (by
        Student's t); ``None`` if the values don't vary or there is no bound to compare with.
    suggested
        The bound with the target false-alarm rate, under the same assumption; ``None`` also if it
        is out of the unit's range, since there are too few runs or they vary too much.
    """

    name: str
    bound: str
    alarms: int
    rate: float
    low: float
    high: float
    unit: str | None = None
    found: Spread | None = None
    predicted: float | None = None
    suggested: float | None = None


@dataclass(frozen=True, kw_only=True)
class SettingFalseAlarms:
    """The false alarms of one setting of a sweep; the last entry is the contract as a whole.

    Attributes
    ----------
    detected
        What drops in accuracy the clauses on numbers of images detect. A clause is missing if no
        model passes it, and if the runs don't differ or are only one, so that nothing is known.
    """

    setting: str
    runs: int
    clauses: tuple[ClauseFalseAlarms, ...]
    detected: tuple[DetectedDrops, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FalseAlarmReport:
    """The outcome of ``mnist-tasks false-alarms``.

    Attributes
    ----------
    target_rate
        The false-alarm rate for which bounds are suggested.
    contract
        The file that the contract was read from; ``None`` for the default contract.
    missing_runs
        Number of runs of the sweep without a model, which are not counted; ``None`` if the sweep is
        unfinished.
    decided
        The clauses that can't fail, and those that no model can pass.
    """

    folder: str
    evaluated_on: str
    images: int
    target_rate: float
    contract: str | None
    missing_runs: int | None
    settings: tuple[SettingFalseAlarms, ...]
    decided: tuple[DecidedClause, ...] = ()


def count(
    setting: str, verdicts: Sequence[Verdict], *, target_rate: float, uses_interval: bool
) -> SettingFalseAlarms:
    """Count the false alarms of a setting, predict their rate and suggest bounds.

    Parameters
    ----------
    verdicts
        One for each run, at least one, from the same contract.
    target_rate
        False-alarm rate for which bounds are suggested, in (0, 0.5).
    uses_interval
        Whether the contract compares intervals with its bounds, and not the values alone.
    """
    by_clause = zip(*(verdict.clauses for verdict in verdicts), strict=True)
    clauses = [_of_clause(each, target_rate, uses_interval=uses_interval) for each in by_clause]
    whole = _count(WHOLE, "", [verdict.passed for verdict in verdicts])
    return SettingFalseAlarms(setting=setting, runs=len(verdicts), clauses=(*clauses, whole))


def _of_clause(
    clauses: tuple[Clause, ...], target_rate: float, *, uses_interval: bool
) -> ClauseFalseAlarms:
    first = clauses[0]
    counted = _count(first.name, first.bound, [clause.status == "passed" for clause in clauses])
    values = [_compared_value(clause, uses_interval=uses_interval) for clause in clauses]
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return replace(counted, unit=first.unit)
    found = ranking.spread(known, first.unit)
    counted = replace(counted, unit=first.unit, found=found)
    if not found.deviation or first.bound_value is None or first.direction is None:
        return counted
    # A prediction interval: the uncertainty of the mean adds to that of a further run.
    scale = found.deviation * math.sqrt(1 + 1 / len(known))
    degrees = len(known) - 1
    sign = 1 if first.direction == "above" else -1
    margin = sign * (found.mean - first.bound_value) / scale
    suggested = found.mean - sign * scale * stats.student_quantile(1 - 2 * target_rate, degrees)
    least, most = ranking.range_of(first.unit)
    is_possible = least <= suggested <= most
    return replace(
        counted,
        predicted=stats.student_cdf(-margin, degrees),
        suggested=_round_to_safety(suggested, first.unit, sign) if is_possible else None,
    )


def _count(name: str, bound: str, passed: list[bool]) -> ClauseFalseAlarms:
    alarms, runs = passed.count(False), len(passed)
    low, high = stats.wilson_interval(alarms, runs, CONFIDENCE)
    return ClauseFalseAlarms(
        name=name, bound=bound, alarms=alarms, rate=alarms / runs, low=low, high=high
    )


def _compared_value(clause: Clause, *, uses_interval: bool) -> float | None:
    """Return the number that a clause compares with its bound."""
    if uses_interval and clause.interval is not None:
        return clause.interval.high if clause.direction == "below" else clause.interval.low
    return clause.found_value


def _round_to_safety(bound: float, unit: str | None, sign: int) -> float:
    """Round a bound to a sensible number of digits, towards fewer false alarms."""
    scale: int = 10 ** _DECIMALS.get(unit or "", 0)
    return (math.floor if sign > 0 else math.ceil)(bound * scale) / scale
