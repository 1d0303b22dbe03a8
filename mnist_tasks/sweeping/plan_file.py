"""Read the plan of a sweep from a TOML file, strictly."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mnist_tasks import toml_files
from mnist_tasks.errors import UsageError, printable
from mnist_tasks.sweeping import search_space
from mnist_tasks.sweeping.plan import Plan
from mnist_tasks.sweeping.search_space import Setting
from mnist_tasks.training.recipes import check_setting

WHAT = "the plan of a sweep"
RECIPE = "recipe"


@dataclass(frozen=True, kw_only=True)
class PlanFile:
    """The keys of a plan file.

    Attributes
    ----------
    recipes, set
        A grid: every recipe with every combination of these values.
    settings
        Single settings in addition to the grid: tables with a recipe and its values.
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
        Supplies what a file does not contain: evaluation images, device, threads, and the
        recipe where none is named.

    Raises
    ------
    UsageError
        The file can't be read, or a key or value in it is invalid.
    """
    table = toml_files.parse(path, WHAT)
    file = toml_files.convert(table, PlanFile, path, name=WHAT)
    seeds = file.seeds if isinstance(file.seeds, str) else ",".join(map(str, file.seeds))
    with toml_files.naming(path):
        values = {
            name: [
                check_setting(name, each)
                for each in (value if isinstance(value, list) else [value])
            ]
            for name, value in file.set.items()
        }
        has_grid = file.recipes or values or not file.settings
        usual = [each.recipe for each in base.settings]
        grid = search_space.grid(file.recipes or usual, values) if has_grid else ()
        single = [_setting(each, usual[0]) for each in file.settings]
        return replace(
            base,
            settings=tuple(dict.fromkeys((*grid, *single))),
            seeds=search_space.parse_seeds(seeds),
            limit=file.limit,
        )


def _setting(table: dict[str, Any], usual: str) -> Setting:
    recipe = table.get(RECIPE, usual)
    if not isinstance(recipe, str):
        raise UsageError(RECIPE, expected="text in quotes", found=printable(str(recipe)))
    values = {key: check_setting(key, each) for key, each in table.items() if key != RECIPE}
    return Setting(recipe=recipe, values=tuple(sorted(values.items())))
