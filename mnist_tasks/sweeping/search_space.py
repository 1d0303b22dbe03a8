"""What a user tries: recipes with every combination of some values, and seeds."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mnist_tasks.config import LARGEST_SEED
from mnist_tasks.errors import UsageError, printable
from mnist_tasks.training import settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mnist_tasks.training.settings import Settings

MOST_RUNS = 100_000
LONGEST_RANGE = 100  # characters: Python refuses to read a number of thousands of digits


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A recipe, and what a sweep changes of it."""

    recipe: str = "default"
    values: Settings = ()

    @property
    def name(self) -> str:
        """The setting as it is shown: ``default shift=0``."""
        return " ".join((self.recipe, *settings.words(self.values)))


def every(names: Sequence[str], values: Mapping[str, Sequence[float]]) -> tuple[Setting, ...]:
    """Return every recipe with every combination of values, each once.

    Raises
    ------
    UsageError
        They are more than a sweep may have.
    """
    count = len(names) * math.prod(map(len, values.values()))
    if count > MOST_RUNS:
        raise wrong_count(count)
    ordered = sorted(values)
    combinations = itertools.product(*(values[name] for name in ordered))
    return tuple(
        dict.fromkeys(
            Setting(recipe=recipe, values=tuple(zip(ordered, chosen, strict=True)))
            for recipe, chosen in itertools.product(names, list(combinations))
        )
    )


def seeds(text: str) -> tuple[int, ...]:
    """Read seeds: ``0-9``, ``0,3,7-9``.

    Raises
    ------
    UsageError
        It is no such list, or a seed is out of its range.
    """
    found: dict[int, None] = {}
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        is_range = first.isdecimal() and (last.isdecimal() or not dash)
        if not is_range or len(part) > LONGEST_RANGE:
            raise _wrong_seeds(text)
        low, high = int(first), int(last or first)
        if not low <= high <= LARGEST_SEED:
            raise _wrong_seeds(text)
        if high - low >= MOST_RUNS:
            raise wrong_count(high - low + 1)
        found |= dict.fromkeys(range(low, high + 1))
    return tuple(found)


def wrong_count(runs: int) -> UsageError:
    """Return what is wrong with a sweep of so many runs."""
    return UsageError("the sweep", expected=f"from 1 to {MOST_RUNS:,} runs", found=f"{runs:,}")


def _wrong_seeds(text: str) -> UsageError:
    return UsageError(
        "--seeds",
        expected=f"seeds such as 0-9 or 0,3,7-9, each up to {LARGEST_SEED:,}",
        found=printable(text) or "nothing",
    )
