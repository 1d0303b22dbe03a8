"""How sure a gate is: how often a sound recipe would fail the contract by chance, clause by clause.

The runs of a setting differ in nothing but their seed, as the retrainings do that a gate will see.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mnist_tasks import stats
from mnist_tasks.errors import UsageError
from mnist_tasks.sweeping import ranking

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mnist_tasks.sweeping.ranking import Spread
    from mnist_tasks.verdict import Clause, Verdict

SCHEMA = 1
CONFIDENCE = 0.95
WHOLE = "the contract"
_DECIMALS = {"share": 4, "ms": 2, "points": 2}


@dataclass(frozen=True, kw_only=True)
class FalseAlarms:
    """How often a clause did not hold, and how often it would not.

    Attributes
    ----------
    rate, low, high
        The share of runs for which it did not hold, and its interval (Wilson, 95%), in [0, 1].
    found
        How what the clause looks at varied, in its unit: the end of the interval that has to clear
        the bound, where the contract asks for that. ``None`` where it is no number.
    predicted
        The share of further runs for which it would not hold, as far as a normal distribution with
        this mean and deviation tells (by Student's t); ``None`` where nothing varied.
    suggested
        The bound that a further run would miss as often as was wanted, told in the same way; also
        ``None`` where that is no share, since the runs are too few or vary too much.
    """

    name: str
    bound: str
    runs: int
    alarms: int
    rate: float
    low: float
    high: float
    unit: str | None = None
    found: Spread | None = None
    predicted: float | None = None
    suggested: float | None = None


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """The false alarms of one setting of a sweep; the last clause is the contract as a whole."""

    setting: str
    runs: int
    clauses: tuple[FalseAlarms, ...]


@dataclass(frozen=True, kw_only=True)
class Calibrations:
    """The outcome of ``mnist-tasks calibrate``.

    Attributes
    ----------
    wanted
        The rate of false alarms for which bounds are suggested.
    contract
        The file that the contract was read from; ``None`` stands for the four default clauses.
    left_out
        How many runs of the sweep have no model, and are not counted; ``None`` where it was not
        finished, which leaves that open.
    """

    folder: str
    evaluated_on: str
    images: int
    wanted: float
    contract: str | None
    left_out: int | None
    settings: tuple[Calibration, ...]
    schema: int = SCHEMA


def check_rate(wanted: float) -> None:
    """Refuse a rate of false alarms that can't be.

    Raises
    ------
    UsageError
        It is not above 0 and below one half.
    """
    if not 0 < wanted < 0.5:
        raise UsageError("--rate", expected="a share above 0, below 0.5", found=str(wanted))


def calibrate(
    setting: str, verdicts: Sequence[Verdict], *, wanted: float, is_sure: bool
) -> Calibration:
    """Count the clauses that did not hold, and say what that tells of further runs.

    Parameters
    ----------
    verdicts
        One for each run, at least one, under the same contract.
    wanted
        The rate of false alarms for which bounds are suggested, in (0, 0.5).
    is_sure
        Whether the contract asks for the whole interval to clear the bound.
    """
    by_clause = zip(*(verdict.clauses for verdict in verdicts), strict=True)
    clauses = [_of_clause(each, wanted, is_sure=is_sure) for each in by_clause]
    whole = _counted(WHOLE, "", [verdict.passed for verdict in verdicts])
    return Calibration(setting=setting, runs=len(verdicts), clauses=(*clauses, whole))


def _of_clause(clauses: tuple[Clause, ...], wanted: float, *, is_sure: bool) -> FalseAlarms:
    first = clauses[0]
    values = [_value(clause, is_sure=is_sure) for clause in clauses]
    known = [value for value in values if value is not None]
    found = ranking.spread(known) if len(known) == len(values) else None
    counted = replace(
        _counted(first.name, first.bound, [clause.status == "passed" for clause in clauses]),
        unit=first.unit,
        found=found,
    )
    is_plain = first.bound.startswith((">", "<"))
    if found is None or not found.deviation or first.bound_value is None or not is_plain:
        return counted
    # A further run lies about the mean of these as one value, itself uncertain, about another.
    reach = found.deviation * math.sqrt(1 + 1 / len(known))
    degrees = len(known) - 1
    sign = 1 if _is_floor(first) else -1
    room = sign * (found.mean - first.bound_value) / reach
    suggested = found.mean - sign * reach * stats.student_quantile(1 - 2 * wanted, degrees)
    can_be = first.unit != "share" or 0 <= suggested <= 1
    return replace(
        counted,
        predicted=stats.student_cdf(-room, degrees),
        suggested=_rounded_away(suggested, first.unit, sign) if can_be else None,
    )


def _counted(name: str, bound: str, holds: list[bool]) -> FalseAlarms:
    alarms, runs = holds.count(False), len(holds)
    low, high = stats.wilson_interval(alarms, runs, CONFIDENCE)
    return FalseAlarms(
        name=name,
        bound=bound,
        runs=runs,
        alarms=alarms,
        rate=alarms / runs,
        low=low,
        high=high,
    )


def _value(clause: Clause, *, is_sure: bool) -> float | None:
    """Return the number that has to clear the bound."""
    if is_sure and clause.interval is not None:
        return clause.interval.low if _is_floor(clause) else clause.interval.high
    return clause.found_value


def _is_floor(clause: Clause) -> bool:
    """Whether a clause bounds from below, as that on a baseline does too."""
    return not clause.bound.startswith("<")


def _rounded_away(bound: float, unit: str | None, sign: int) -> float:
    """Round a bound to what is worth writing, to the side that gives fewer false alarms."""
    scale: int = 10 ** _DECIMALS.get(unit or "", 0)
    return (math.floor if sign > 0 else math.ceil)(bound * scale) / scale
