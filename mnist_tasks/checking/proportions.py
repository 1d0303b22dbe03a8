"""Clauses on a proportion of images, with confidence intervals."""

from __future__ import annotations

from dataclasses import dataclass

from mnist_tasks import stats
from mnist_tasks.verdict import DEFAULT_CONFIDENCE, Clause, Direction, Errors, Interval, Status

INCONCLUSIVE = "could be slightly better or worse"  # as the interval contains the bound


@dataclass(frozen=True, kw_only=True)
class ProportionBound:
    """A bound on a proportion of images, in [0, 1].

    Attributes
    ----------
    confidence
        If set, the whole interval at this level must be on the right side of the bound.
    """

    bound: float
    direction: Direction = "above"
    confidence: float | None = None

    @property
    def text(self) -> str:
        """The bound as it is shown."""
        return f"{'>' if self.direction == 'above' else '<'} {percent(self.bound)}"

    def evaluate(self, name: str, *, correct: int, images: int, note: str = "") -> Clause:
        """Evaluate the clause; `note` follows the value found."""
        errors = images - correct
        level = self.confidence or DEFAULT_CONFIDENCE
        low, high = stats.wilson_interval(correct, images, level)
        status = self._status(errors, images)
        return Clause(
            name=name,
            bound=self.text,
            found=f"{correct / images:.2%}{note}",
            status=status,
            bound_value=self.bound,
            found_value=correct / images,
            unit="share",
            interval=Interval(low=low, high=high, confidence=level),
            errors=self._errors(errors, images),
            reason=INCONCLUSIVE if status == "inconclusive" else None,
            direction=self.direction,
        )

    def not_measured(self, name: str, reason: str) -> Clause:
        """Return the clause for a model whose proportion is unknown."""
        return not_measured(name, self.text, reason, direction=self.direction)

    def _status(self, errors: int, images: int) -> Status:
        low = high = (images - errors) / images
        if self.confidence is not None:
            low, high = stats.wilson_interval(images - errors, images, self.confidence)
        is_floor = self.direction == "above"
        if (low > self.bound) if is_floor else (high < self.bound):
            return "passed"
        if (high <= self.bound) if is_floor else (low >= self.bound):
            return "failed"
        return "inconclusive"

    def _errors(self, seen: int, images: int) -> Errors:
        if self.direction == "above":
            allowed = stats.largest(images, lambda count: self._status(count, images) == "passed")
            return Errors(seen=seen, images=images, allowed=allowed)
        too_few = stats.largest(images, lambda count: self._status(count, images) != "passed")
        required = 0 if too_few is None else too_few + 1 if too_few < images else None
        return Errors(seen=seen, images=images, required=required)


def not_measured(
    name: str, bound: str, reason: str, *, direction: Direction | None = None
) -> Clause:
    """Return a clause that could not be measured, and why."""
    status: Status = "not measured"
    return Clause(
        name=name, bound=bound, found=reason, status=status, reason=reason, direction=direction
    )


def percent(proportion: float) -> str:
    """Format a proportion with two decimals, or more if it has more."""
    whole, _, decimals = f"{100 * proportion:.6f}".partition(".")
    return f"{whole}.{decimals.rstrip('0'):0<2}%"
