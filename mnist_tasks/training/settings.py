"""Settings of a recipe as a user writes them: ``--set max_shift=0``."""

from __future__ import annotations

from collections.abc import Iterable

from mnist_tasks.config import Settings, SettingValue
from mnist_tasks.errors import UsageError, printable
from mnist_tasks.training.recipes import check_setting

OPTION = "--set"


def parse_many(texts: Iterable[str]) -> dict[str, tuple[SettingValue, ...]]:
    """Parse ``name=value`` or ``name=value,value``; each name must be known and not repeated."""
    found: dict[str, tuple[SettingValue, ...]] = {}
    for text in texts:
        name, equals, values = (each.strip() for each in text.partition("="))
        if not equals:
            shown = printable(text) or "nothing"
            raise UsageError(OPTION, expected="a setting such as max_shift=0", found=shown)
        if name in found:
            raise UsageError(f"{OPTION} {name}", expected="the setting once", found=printable(text))
        found[name] = tuple(check_setting(name, _number(each)) for each in values.split(","))
    return found


def parse_one_each(texts: Iterable[str]) -> Settings:
    """Parse the settings of a single run: as `parse_many`, with one value each."""
    found = parse_many(texts)
    for name, values in found.items():
        if len(values) != 1:
            raise UsageError(
                f"{OPTION} {name}",
                expected="one value",
                found=f"{len(values)}",
                remedy="Use `mnist-tasks sweep` to try several.",
            )
    return tuple(sorted((name, values[0]) for name, values in found.items()))


def words(settings: Settings) -> tuple[str, ...]:
    """Return settings as a user writes them.

    >>> words((("ema_momentum", 0.0), ("max_shift", 1)))
    ('ema_momentum=0.0', 'max_shift=1')
    """
    return tuple(f"{name}={value}" for name, value in settings)


def _number(text: str) -> float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text.strip()
