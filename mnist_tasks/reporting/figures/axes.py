"""The axes of a chart: linear, logarithmic, and one for accuracies near 1."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

MOST_TICKS, FEWEST_TICKS = 6, 4
CLOSE = 4  # the ratio of losses up to which an axis is linear
NARROWEST = 0.001  # an axis for accuracies that are all the same
LOGARITHMIC = "log scale"
HALVES_ERRORS = "log scale of the errors"
# The usual round values; each has about half the errors of the one before it.
ACCURACIES = (
    *(0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9998, 0.9999, 0.99999),
)


@dataclass(frozen=True, kw_only=True)
class Axis:
    """One axis of a chart; `ticks` are values with their labels."""

    label: str
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    scale: Callable[[float], float] = float

    def share(self, value: float) -> float:
        """Return the position of a value along the axis, in [0, 1]; values outside are clipped."""
        low, high = self.scale(self.low), self.scale(self.high)
        return (self.scale(min(max(value, self.low), self.high)) - low) / (high - low)


def linear(
    label: str, low: float, high: float, *, form: str = "{:,g}", tight: bool = False
) -> Axis:
    """Return a linear axis, which ends at round values or, if `tight`, with its data."""
    step = _round_step((high - low) / (MOST_TICKS - 1) or 1.0)
    first = math.floor(low / step + 1e-9)
    last = max(math.ceil(high / step - 1e-9), first + 1)
    values = [round(n * step, 12) for n in range(first, last + 1)]
    if tight and low < high:
        values = [value for value in values if low <= value <= high]
    return Axis(
        label=label,
        low=low if tight else values[0],
        high=high if tight and low < high else values[-1],
        ticks=tuple((value, form.format(value)) for value in values),
    )


def logarithmic(label: str, low: float, high: float) -> Axis:
    """Return a logarithmic axis for values above 0 that ends at 1, 2 or 5 times a power of ten.

    Its label says what it is.
    """
    first, last = _round_below(low), _round_above(high)
    powers = range(math.floor(math.log10(first)), math.ceil(math.log10(last)) + 1)
    for factors in ((1, 2, 5), (1, 5), (1,)):
        values = [factor * 10.0**power for power in powers for factor in factors]
        values = [value for value in values if first * 0.999 <= value <= last * 1.001]
        if len(values) <= MOST_TICKS:
            break
    return Axis(
        label=f"{label}, {LOGARITHMIC}",
        low=first,
        high=last,
        scale=math.log10,
        ticks=tuple((value, short(value)) for value in values),
    )


def accuracy(label: str, low: float, high: float) -> Axis:
    """Return an axis for accuracies in [0, 1) on which each halving of the errors is one step.

    Its label says so.
    """
    below = max(value for value in ACCURACIES[:-1] if value <= max(low, 0.0))
    above = min((value for value in ACCURACIES if value > high), default=ACCURACIES[-1])
    values = [value for value in ACCURACIES if below <= value <= above]
    every = math.ceil(len(values) / MOST_TICKS)
    return Axis(
        label=f"{label}, {HALVES_ERRORS}",
        low=below,
        high=above,
        scale=lambda value: -math.log10(1 - value),
        ticks=tuple((value, f"{100 * value:g}%") for value in values[::-1][::every][::-1]),
    )


def close_accuracy(label: str, low: float, high: float) -> Axis:
    """Return an axis for accuracies, which is linear if they are too close for round values."""
    found = accuracy(label, low, high)
    if len(found.ticks) >= FEWEST_TICKS:
        return found
    middle, reach = (low + high) / 2, max(high - low, NARROWEST) / 2
    near = linear(label, max(0.0, middle - reach), min(1.0, middle + reach))
    return replace(near, ticks=tuple((value, f"{100 * value:g}%") for value, _ in near.ticks))


def loss(label: str, low: float, high: float) -> Axis:
    """Return an axis for losses above 0: a logarithmic one, or a linear one if they are close."""
    return logarithmic(label, low, high) if high > CLOSE * low else linear(label, low, high)


def epochs(last: float) -> Axis:
    """Return an axis from 0 to the last epoch, with whole numbers as soon as they fit."""
    every = math.ceil(last / (MOST_TICKS - 1))
    if last <= 1:
        return linear("epoch", 0, last, tight=True)
    ticks = tuple((float(n), f"{n:,}") for n in range(0, math.floor(last) + 1, every))
    return Axis(label="epoch", low=0, high=last, ticks=ticks)


def short(value: float) -> str:
    """Return a round number in few characters.

    >>> short(20_000), short(0.05), short(500)
    ('20k', '0.05', '500')
    """
    if value >= 1e6:
        return f"{value / 1e6:g}M"
    return f"{value / 1e3:g}k" if value >= 1e3 else f"{value:g}"


def _round_step(step: float) -> float:
    power = 10.0 ** math.floor(math.log10(step))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= step * 0.999)


def _round_below(value: float) -> float:
    power = 10.0 ** math.floor(math.log10(value))
    return max(factor for factor in (1, 2, 5) if factor * power <= value * 1.001) * power


def _round_above(value: float) -> float:
    power = 10.0 ** math.floor(math.log10(value))
    return min(factor for factor in (1, 2, 5, 10) if factor * power > value * 1.001) * power
