"""Clauses on a share of images that were recognized, with how sure they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mnist_tasks import stats
from mnist_tasks.verdict import Clause, Errors, Interval

if TYPE_CHECKING:
    from mnist_tasks.verdict import Status

REPORTED_CONFIDENCE = 0.99  # of intervals where the contract asks for none


@dataclass(frozen=True, kw_only=True)
class Share:
    """A bound on a share of images, both in [0, 1].

    Attributes
    ----------
    is_ceiling
        The share must lie below the bound, not above.
    confidence
        When given, the interval at this level must clear the bound, and not the share alone.
    """

    bound: float
    is_ceiling: bool = False
    confidence: float | None = None

    @property
    def words(self) -> str:
        """The bound as it is shown."""
        return f"{'<' if self.is_ceiling else '>'} {percent(self.bound)}"

    def judge(self, name: str, *, correct: int, images: int, note: str = "") -> Clause:
        """Hold a count against the bound."""
        errors = images - correct
        level = self.confidence or REPORTED_CONFIDENCE
        low, high = stats.wilson(correct, images, level)
        status = self._status(errors, images)
        return Clause(
            name=name,
            bound=self.words,
            found=f"{correct / images:.2%}{note}",
            status=status,
            bound_value=self.bound,
            found_value=correct / images,
            unit="share",
            interval=Interval(low=low, high=high, confidence=level),
            errors=Errors(
                seen=errors,
                images=images,
                allowed=None if self.is_ceiling else self._allowed(images),
                required=self._required(images) if self.is_ceiling else None,
            ),
            reason="the interval has the bound in it" if status == "inconclusive" else None,
        )

    def _status(self, errors: int, images: int) -> Status:
        low = high = (images - errors) / images
        if self.confidence is not None:
            low, high = stats.wilson(images - errors, images, self.confidence)
        if (high < self.bound) if self.is_ceiling else (low > self.bound):
            return "passed"
        if (low >= self.bound) if self.is_ceiling else (high <= self.bound):
            return "failed"
        return "inconclusive"

    def _allowed(self, images: int) -> int | None:
        return stats.most(images, lambda errors: self._status(errors, images) == "passed")

    def _required(self, images: int) -> int | None:
        too_few = stats.most(images, lambda errors: self._status(errors, images) != "passed")
        return 0 if too_few is None else too_few + 1 if too_few < images else None


def not_measured(name: str, bound: str, reason: str) -> Clause:
    """Say of a clause that there was nothing to judge: it does not hold, for this reason."""
    return Clause(
        name=name,
        bound=bound,
        found=reason,
        status="not measured",
        reason=reason,
    )


def percent(share: float) -> str:
    """Write a share with two decimals, and with more where it has more."""
    whole, _, decimals = f"{100 * share:.6f}".partition(".")
    return f"{whole}.{decimals.rstrip('0'):0<2}%"
