"""Read the plan of a sweep from a TOML file. Strictly."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from mnist_tasks import toml_files
from mnist_tasks.errors import UsageError, printable
from mnist_tasks.sweeping import search_space
from mnist_tasks.sweeping.search_space import Setting
from mnist_tasks.training import recipes

if TYPE_CHECKING:
    from pathlib import Path

    from mnist_tasks.sweeping.plan import Plan

WHAT = "the plan of a sweep"
RECIPE = "recipe"


@dataclass(frozen=True, kw_only=True)
class Written:
    """The keys of a plan's file.

    Attributes
    ----------
    recipes, set
        A grid: every recipe with every combination of these values.
    settings
        Tables of a recipe and its settings, one by one, beside the grid.
    """

    seeds: str | list[int] = "0-4"
    recipes: list[str] = field(default_factory=list)
    set: dict[str, Any] = field(default_factory=dict)
    settings: list[dict[str, Any]] = field(default_factory=list)
    limit: int | None = None


def load(path: Path, base: Plan) -> Plan:
    """Read a plan.

    Parameters
    ----------
    base
        Has what the file doesn't say: the judges, the device and the threads.

    Raises
    ------
    UsageError
        The file can't be read, or a key or a value in it can't be.
    """
    table = toml_files.parse(path, WHAT)
    written = toml_files.convert(table, Written, path, name=WHAT)
    with toml_files.naming(path):
        values = {
            name: tuple(
                recipes.check_setting(name, each)
                for each in (value if isinstance(value, list) else [value])
            )
            for name, value in written.set.items()
        }
        has_grid = written.recipes or values or not written.settings
        found = search_space.every(written.recipes or ["default"], values) if has_grid else ()
        found += tuple(_setting(each) for each in written.settings)
        text = written.seeds
        numbers = text if isinstance(text, str) else ",".join(map(str, text))
        return replace(
            base,
            settings=tuple(dict.fromkeys(found)),
            seeds=search_space.seeds(numbers),
            limit=written.limit,
        )


def _setting(table: dict[str, Any]) -> Setting:
    name = table.get(RECIPE, "default")
    if not isinstance(name, str):
        raise UsageError(RECIPE, expected="text in quotes", found=printable(str(name)))
    values = {key: value for key, value in table.items() if key != RECIPE}
    return Setting(
        recipe=name,
        values=tuple(
            sorted((key, recipes.check_setting(key, each)) for key, each in values.items())
        ),
    )
