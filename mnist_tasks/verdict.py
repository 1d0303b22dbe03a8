"""A verdict: the status of each clause of a contract, in words and in numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from mnist_tasks import record_ranges as ranges

#: The statuses of a clause, worst first. Inconclusive: the interval contains the bound.
Status = Literal["failed", "not measured", "inconclusive", "passed"]
SEVERITY: tuple[Status, ...] = get_args(Status)
VerdictStatus = Literal["failed", "inconclusive", "passed"]
Direction = Literal["above", "below"]
TEST_ACCURACY = "test accuracy"  # the clause whose interval is that of the accuracy everywhere
DEFAULT_CONFIDENCE = 0.99  # of intervals if the contract sets none


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A confidence interval, in the unit of the clause."""

    low: float
    high: float
    confidence: ranges.Confidence


@dataclass(frozen=True, kw_only=True)
class Errors:
    """Number of wrongly classified images, and how many the clause allows.

    Attributes
    ----------
    allowed
        The most errors with which the clause passes; ``None`` if it sets no such limit, or if
        not even a model without errors would pass.
    required
        The fewest errors with which the clause passes, if it bounds accuracy from above.
    """

    seen: int
    images: int
    allowed: int | None = None
    required: int | None = None


@dataclass(frozen=True, kw_only=True)
class Clause:
    """One clause of the contract and its status.

    Attributes
    ----------
    bound, found
        In words; `found` gives the reason if there is no value.
    bound_value, found_value
        The same as numbers, in `unit`; ``None`` if they are not numbers.
    unit
        ``parameters``, ``share`` (in [0, 1]), ``bytes``, ``ms`` or ``points`` (percentage points).
    reason
        Why the clause does not pass, if the numbers don't show it, or the test that decided.
    direction
        The side of the bound on which a value passes; ``None`` if there is no bound of that kind.
    note
        What else there is to know: how the model gets images, or how its accuracy would be higher.
    """

    name: str
    bound: str
    found: str
    status: Status
    bound_value: float | None = None
    found_value: float | None = None
    unit: str | None = None
    interval: Interval | None = None
    errors: Errors | None = None
    reason: str | None = None
    direction: Direction | None = None
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Every clause of the contract; all of them are evaluated, even after one has failed."""

    clauses: tuple[Clause, ...]

    @property
    def passed(self) -> bool:
        """Whether every clause passed; ``False`` without clauses."""
        return self.status == "passed"

    @property
    def status(self) -> VerdictStatus:
        """The status of the worst clause; one that could not be measured counts as failed."""
        return worst(each.status for each in self.clauses)


def worst(statuses: Iterable[Status]) -> VerdictStatus:
    """Return the status of a verdict whose clauses have these."""
    found = min(statuses, key=SEVERITY.index, default=SEVERITY[0])
    return "failed" if found == "not measured" else found
