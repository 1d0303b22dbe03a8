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
from mnist_tasks.training import network_file
from mnist_tasks.training.recipes import check_setting

WHAT = "the plan of a sweep"
RECIPE, NETWORK = "recipe", "network"


@dataclass(frozen=True, kw_only=True)
class PlanFile:
    """The keys of a plan file.

    Attributes
    ----------
    networks, recipes, set
        A grid: every network and recipe with every combination of these values.
    settings
        Single settings in addition to the grid: tables with a recipe or a network, and values.
    """

    seeds: str | list[int] = "0-4"
    networks: list[str] = field(default_factory=list)
    recipes: list[str] = field(default_factory=list)
    set: dict[str, Any] = field(default_factory=dict)
    settings: list[dict[str, Any]] = field(default_factory=list)
    limit: int | None = None


def load(path: Path, base: Plan) -> Plan:
    """Read a plan.

    Parameters
    ----------
    base
        Supplies what a file does not contain: evaluation images, device, threads, and the recipe
        and the network where neither is named.

    Raises
    ------
    InputRefusedError
        There is no such file.
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
        has_grid = file.networks or file.recipes or values or not file.settings
        usual = [each.recipe for each in base.settings]
        networks = [_network(each, path) for each in file.networks]
        if not networks:  # a recipe that is named has its own
            usual_networks = [each.network for each in base.settings]
            networks = [None] if file.recipes else list(dict.fromkeys(usual_networks))
        grid = search_space.grid(file.recipes or usual, values, networks) if has_grid else ()
        single = [_setting(each, base.settings[0], path) for each in file.settings]
        plan = replace(
            base,
            settings=tuple(dict.fromkeys((*grid, *single))),
            seeds=search_space.parse_seeds(seeds),
            limit=file.limit,
        )
        plan.require_images()
        return plan


def _setting(table: dict[str, Any], usual: Setting, path: Path) -> Setting:
    named: dict[str, Any] = {}
    network = None if RECIPE in table else usual.network  # a recipe that is named has its own
    for key, default in ((RECIPE, usual.recipe), (NETWORK, network)):
        named[key] = table.get(key, default)
        if key in table and not isinstance(named[key], str):
            raise UsageError(key, expected="text in quotes", found=printable(str(named[key])))
    if NETWORK in table:
        named[NETWORK] = _network(named[NETWORK], path)
    values = {key: check_setting(key, each) for key, each in table.items() if key not in named}
    return Setting(**named, values=tuple(sorted(values.items())))


def _network(reference: str, path: Path) -> str | None:
    """Return a network of a plan, whose file is looked for from the plan's folder.

    An empty one is none, as on the command line.
    """
    if not reference:
        return None
    where, _ = network_file.split(reference)
    return str(path.parent / reference) if network_file.is_file(where) else reference
