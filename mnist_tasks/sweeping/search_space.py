"""What a sweep tries: recipes, combinations of settings, and seeds."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mnist_tasks.config import LARGEST_SEED, Settings, SettingValue
from mnist_tasks.errors import UsageError, printable
from mnist_tasks.training import network_file, settings

MAX_RUNS = 100_000
_MAX_RANGE_LENGTH = 100  # characters: Python refuses to parse numbers of thousands of digits


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A recipe, or a network of the user's own, and the values that a sweep changes."""

    recipe: str = "default"
    values: Settings = ()
    network: str | None = None

    @property
    def name(self) -> str:
        """The setting as it is shown: ``default max_shift=0``."""
        what = network_file.title(self.network, self.recipe) if self.network else self.recipe
        return " ".join((what, *settings.words(self.values)))


def grid(
    recipes: Sequence[str],
    values: Mapping[str, Sequence[SettingValue]],
    networks: Sequence[str | None] = (None,),
) -> tuple[Setting, ...]:
    """Return every network and recipe with every combination of values, without duplicates.

    Raises
    ------
    UsageError
        There are more combinations than a sweep may have runs.
    """
    count = len(networks) * len(recipes) * math.prod(map(len, values.values()))
    if count > MAX_RUNS:
        raise wrong_count(count)
    names = sorted(values)
    return tuple(
        dict.fromkeys(
            Setting(recipe=recipe, values=tuple(zip(names, chosen, strict=True)), network=network)
            for network in networks
            for recipe in recipes
            for chosen in itertools.product(*(values[name] for name in names))
        )
    )


def parse_seeds(text: str) -> tuple[int, ...]:
    """Parse seeds such as ``0-9`` or ``0,3,7-9``.

    Raises
    ------
    UsageError
        The text is not such a list, or a seed is out of range.
    """
    found: dict[int, None] = {}
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        is_range = first.isdecimal() and (last.isdecimal() or not dash)
        if not is_range or len(part) > _MAX_RANGE_LENGTH:
            raise _invalid_seeds(text)
        low, high = int(first), int(last or first)
        if not low <= high <= LARGEST_SEED:
            raise _invalid_seeds(text)
        if high - low >= MAX_RUNS:
            raise wrong_count(high - low + 1)
        found |= dict.fromkeys(range(low, high + 1))
    return tuple(found)


def wrong_count(runs: int) -> UsageError:
    """Return the error for a sweep with no runs or too many."""
    return UsageError("the sweep", expected=f"from 1 to {MAX_RUNS:,} runs", found=f"{runs:,}")


def _invalid_seeds(text: str) -> UsageError:
    return UsageError(
        "--seeds",
        expected=f"seeds such as 0-9 or 0,3,7-9, each up to {LARGEST_SEED:,}",
        found=printable(text) or "nothing",
    )
