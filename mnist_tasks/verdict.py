"""A verdict: what became of each clause of a contract, in words and in numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: `inconclusive`: the interval straddles the bound. `unmeasured`: there was nothing to judge.
Status = Literal["passed", "failed", "inconclusive", "not measured"]
Direction = Literal["above", "below"]


@dataclass(frozen=True, kw_only=True)
class Interval:
    """Where the true value lies, as far as these images can tell, in the unit of the clause."""

    low: float
    high: float
    confidence: float


@dataclass(frozen=True, kw_only=True)
class Errors:
    """How many images a model got wrong, and how many it may.

    Attributes
    ----------
    allowed
        The most with which the clause would hold; ``None`` where it sets no such limit, or where
        not even a model without errors would do.
    required
        The fewest with which the clause would hold, for a clause that bounds accuracy from above.
    """

    seen: int
    images: int
    allowed: int | None = None
    required: int | None = None


@dataclass(frozen=True, kw_only=True)
class Clause:
    """One clause of the contract with its verdict.

    Attributes
    ----------
    bound, found
        In words; `found` says why where there is no value.
    bound_value, found_value
        The same as numbers, in `unit`, where they are numbers.
    unit
        ``parameters``, ``share`` (in [0, 1]), ``bytes``, ``ms`` or ``points`` (percentage points).
    direction
        On which side of its bound a value passes; ``None`` if there is no bound of that kind.
    reason
        Why the clause doesn't hold, where the numbers alone don't say, or which test decided.
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


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Every clause of the contract, each looked at whatever became of the others."""

    clauses: tuple[Clause, ...]

    @property
    def passed(self) -> bool:
        """Whether every clause holds; a verdict without clauses does not."""
        return self.status == "passed"

    @property
    def status(self) -> Literal["passed", "failed", "inconclusive"]:
        """Inconclusive only where nothing is worse: what can't be measured is broken."""
        found = {clause.status for clause in self.clauses}
        if found == {"passed"}:
            return "passed"
        return "inconclusive" if found and found <= {"passed", "inconclusive"} else "failed"
