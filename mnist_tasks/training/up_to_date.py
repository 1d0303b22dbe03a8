"""Whether a model file is already the one that a training would make. TensorFlow is not loaded."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

from mnist_tasks import disk, run_store
from mnist_tasks.config import TrainingConfig
from mnist_tasks.data.store import LabeledImages
from mnist_tasks.records import RunRecord
from mnist_tasks.training import recipes, run
from mnist_tasks.version import VERSION

# A build of TensorFlow has a name of its own.
_BUILDS = {"tensorflow": ("tensorflow", "tensorflow-cpu")}


def find(
    config: TrainingConfig, load_digits: Callable[[], LabeledImages], runs: Path
) -> RunRecord | str:
    """Return the run that made the output file, or why it is not what the training would make.

    The settings, the network's code, the seed, the data, the versions of the libraries and the file
    itself are the same; the machine may be another.

    Parameters
    ----------
    load_digits
        Returns the training images, whose hashes it has verified.
    runs
        Folder of the run records.

    Raises
    ------
    MnistTasksError
        A setting is not valid, the network is missing, or the data is.
    """
    try:
        made = disk.sha256(config.output)
    except OSError:
        return f"there is no {config.output} yet"
    stored = run_store.read_all(runs).records
    record = next((each for each in reversed(stored) if each.model.sha256 == made), None)
    if record is None:
        return f"no run in {runs} made {config.output}"
    wanted = _wanted(config, dict(load_digits().sha256))
    found = _found(record)
    return next(
        (f"{what} changed" for what, value in wanted.items() if value != found[what]), record
    )


def as_text(found: RunRecord | str, config: TrainingConfig) -> str:
    """Return a line about what `find` returned."""
    if isinstance(found, str):
        return f"Training, since {found}."
    return f"Up to date: {config.output} is what the run {found.id} made, and nothing changed."


def _wanted(config: TrainingConfig, data: dict[str, str]) -> dict[str, Any]:
    recipe = recipes.resolve(config)
    return {
        "the settings": run.command(config),
        "the recipe": json.loads(json.dumps(recipes.as_record(recipe))),  # as it is read back
        "the data": data,
        "a version": versions(),
    }


def _found(record: RunRecord) -> dict[str, Any]:
    return {
        "the settings": record.command,
        "the recipe": record.recipe,
        "the data": record.data,
        "a version": record.machine.versions,
    }


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
