"""The settings of a recipe that a user may change: their names, their ranges, and how they read.

``--set max_shift=0`` on the command line, ``max_shift = 0`` in the file of a sweep.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from mnist_tasks.errors import UsageError, printable
from mnist_tasks.old_records import RENAMED_SETTINGS

Settings = tuple[tuple[str, float], ...]
OPTION = "--set"


@dataclass(frozen=True, kw_only=True)
class Range:
    """What a setting may be; an open end leaves its own value out."""

    low: float
    high: float = math.inf
    is_whole: bool = False
    is_open_low: bool = False
    is_open_high: bool = False

    @property
    def words(self) -> str:
        """The range as it is shown.

        >>> RANGES["warmup_fraction"].words
        'a number from 0, below 1'
        """
        start = f"above {self.low:g}" if self.is_open_low else f"from {self.low:g}"
        end = "" if math.isinf(self.high) else f"up to {self.high:g}"
        end = f"below {self.high:g}" if end and self.is_open_high else end
        return f"a {'whole ' * self.is_whole}number {start}{', ' if end else ''}{end}"

    def __contains__(self, value: float) -> bool:
        try:
            number = float(value)
        except OverflowError:  # a whole number that is larger than every float
            return False
        if not math.isfinite(number) or (self.is_whole and not number.is_integer()):
            return False
        above = number > self.low if self.is_open_low else number >= self.low
        return above and (number < self.high if self.is_open_high else number <= self.high)


RANGES = {
    "epochs": Range(low=1, high=1000, is_whole=True),
    "batch_size": Range(low=1, high=60_000, is_whole=True),
    "learning_rate": Range(low=0, is_open_low=True),
    "warmup_fraction": Range(low=0, high=1, is_open_high=True),
    "final_learning_rate_fraction": Range(low=0, high=1),
    "initial_accumulator_value": Range(low=0),
    "ema_momentum": Range(low=0, high=1, is_open_high=True),
    "max_shift": Range(low=0, high=4, is_whole=True),
    "micro_batches": Range(low=1, high=64, is_whole=True),
}


def check(name: str, value: object) -> float:
    """Return the value of a setting, a whole number as ``int``.

    Raises
    ------
    UsageError
        There is no such setting, or it can't have that value.
    """
    allowed = RANGES.get(name)
    if allowed is None:
        raise UsageError(
            f"{OPTION} {printable(name)}",
            expected=f"one of {', '.join(RANGES)}",
            found="no such setting",
            remedy=f"It is now called {RENAMED_SETTINGS[name]}."
            if name in RENAMED_SETTINGS
            else None,
        )
    if isinstance(value, bool) or not isinstance(value, int | float) or value not in allowed:
        raise UsageError(
            f"{OPTION} {name}", expected=allowed.words, found=printable(str(value)) or "nothing"
        )
    return int(value) if allowed.is_whole else float(value)


def parse(text: str) -> tuple[str, tuple[float, ...]]:
    """Read ``name=value`` or ``name=value,value``.

    Raises
    ------
    UsageError
        There is no such setting, or it can't have that value.
    """
    name, equals, values = text.partition("=")
    if not equals:
        raise UsageError(
            OPTION, expected="a setting such as max_shift=0", found=printable(text) or "nothing"
        )
    name = name.strip()
    return name, tuple(check(name, _number(each)) for each in values.split(","))


def parse_many(texts: tuple[str, ...]) -> dict[str, tuple[float, ...]]:
    """Read ``name=value,value``, each name once.

    Raises
    ------
    UsageError
        A name comes twice, or as in `parse`.
    """
    found: dict[str, tuple[float, ...]] = {}
    for text in texts:
        name, values = parse(text)
        if name in found:
            raise UsageError(f"{OPTION} {name}", expected="it once", found=printable(text))
        found[name] = values
    return found


def parse_one_each(texts: tuple[str, ...]) -> Settings:
    """Read ``name=value`` for a single run, each name once.

    Raises
    ------
    UsageError
        A name comes twice or has several values, or as in `parse`.
    """
    found = parse_many(texts)
    for name, values in found.items():
        if len(values) != 1:
            raise UsageError(
                f"{OPTION} {name}",
                expected="one value",
                found=f"{len(values)}",
                remedy="`mnist-tasks sweep` tries several.",
            )
    return tuple(sorted((name, values[0]) for name, values in found.items()))


def words(settings: Settings) -> tuple[str, ...]:
    """Return settings as they are written.

    >>> words((("ema_momentum", 0.0), ("max_shift", 1)))
    ('ema_momentum=0.0', 'max_shift=1')
    """
    return tuple(f"{name}={value}" for name, value in settings)


def _number(text: str) -> object:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
