"""Whether a model file is already the one that a training would make. TensorFlow is not loaded."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec

from mnist_tasks import disk, run_store
from mnist_tasks.code_records import NetworkSource
from mnist_tasks.config import TrainingConfig
from mnist_tasks.data.store import LabeledImages
from mnist_tasks.errors import printable
from mnist_tasks.records import RunRecord
from mnist_tasks.training import recipes, run
from mnist_tasks.training.network_file import NetworkFile
from mnist_tasks.training.recipe import Recipe, as_record, from_record
from mnist_tasks.version import VERSION

# A build of TensorFlow has a name of its own.
_BUILDS = {"tensorflow": ("tensorflow", "tensorflow-cpu")}


def find(
    config: TrainingConfig,
    load_data: Callable[[], LabeledImages],
    runs: Path,
    network: NetworkFile | None = None,
) -> RunRecord | str:
    """Return the run that made the output file, or why it is not what the training would make.

    The settings, the network's code, the seed, the data, the versions of the libraries and the file
    itself are the same; the machine may be another.

    Parameters
    ----------
    load_data
        Returns the training images, whose hashes it has verified.
    runs
        Folder of the run records.
    network
        The user's own network.

    Raises
    ------
    MnistTasksError
        A setting is not valid, the network is missing, or the data is.
    """
    try:
        made = disk.sha256(config.output)
    except OSError:
        return f"there is no {config.output} yet"
    listed = run_store.list_runs(runs).newest_of(made)
    if listed is None:
        return f"no run in {runs} made {config.output}"
    if network is not None and network.given is not None:
        # Values of a `partial`, of a closure or of another cell are in no text; nor are imports.
        return "what a function that is given in Python uses from elsewhere isn't known"
    record, _ = run_store.of_listed(listed, runs)
    wanted = _wanted(config, dict(load_data().sha256), record)
    found = _found(record)
    changed = [what for what, value in wanted.items() if value != found[what]]
    changed += _changed_code(network, record.network_source)
    return f"{changed[0]} changed" if changed else record


def as_text(found: RunRecord | str, config: TrainingConfig) -> str:
    """Return a line about what `find` returned."""
    if isinstance(found, str):
        return f"Training, since {found}."
    return f"Up to date: {config.output} is what the run {found.id} made, and nothing changed."


def _changed_code(network: NetworkFile | None, source: NetworkSource | None) -> list[str]:
    """Return the files of the user's own network whose content is not that of the record."""
    if network is None or source is None:
        return ["the network"] if network or source else []
    files = {source.path: source.sha256, **source.imports}
    now = {source.path: network.source.sha256, **{path: digest(path) for path in source.imports}}
    return [printable(path) or "the network" for path in files if files[path] != now[path]]


def digest(path: str) -> str | None:
    """Return the SHA-256 of a file that a run imported; ``None`` if it can't be read."""
    try:
        return disk.sha256(Path(path))
    except (OSError, ValueError):
        return None


def _wanted(config: TrainingConfig, data: dict[str, str], record: RunRecord) -> dict[str, Any]:
    recipe = _as_read(recipes.resolve(config))
    if config.network is not None:
        # It has layers of its own, and if it came compiled, an optimizer, too.
        is_compiled = "initial_accumulator_value" not in record.recipe
        used = record.recipe.keys() - ({"learning_rate", "optimizer"} if is_compiled else set())
        recipe = record.recipe | {key: recipe[key] for key in recipe.keys() & used}
    return {
        "the settings": run.command(config),
        "the recipe": recipe,
        "the data": data,
        "a version": versions(),
    }


def _found(record: RunRecord) -> dict[str, Any]:
    recipe = record.recipe
    with suppress(msgspec.ValidationError):  # it is that of a network of the user's own
        recipe = _as_read(from_record(recipe))  # with settings that came later
    return {
        "the settings": record.command,
        "the recipe": recipe,
        "the data": record.data,
        "a version": record.machine.versions,
    }


def _as_read(recipe: Recipe) -> dict[str, Any]:
    """Return a recipe as it is read from a record."""
    found: dict[str, Any] = json.loads(json.dumps(as_record(recipe)))
    return found


def versions() -> dict[str, str]:
    """Return the versions that a run of this environment records, as far as they are known."""
    names = ("tensorflow", "keras", "numpy")
    return {
        "mnist-tasks": VERSION,
        "python": platform.python_version(),
        **{name: _version(*_BUILDS.get(name, (name,))) for name in names},
    }


def _version(*distributions: str) -> str:
    """Return the version of the first distribution that is installed."""
    for name in distributions:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return ""
