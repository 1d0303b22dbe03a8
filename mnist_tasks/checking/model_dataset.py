"""The data set of a model file: that of the run that trained it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from mnist_tasks import disk, run_store
from mnist_tasks.checking.run_predictions import LARGEST_MODEL
from mnist_tasks.data import datasets
from mnist_tasks.data.datasets import Dataset
from mnist_tasks.errors import UsageError, printable
from mnist_tasks.run_store import StoredRuns


def choose(model: Path, runs_dir: Path, *, named: str | None, default: str) -> Dataset:
    """Return the data set of the user's choice, or else that of a model, or else the default.

    Raises
    ------
    UsageError
        There is no such data set, or as `find`.
    """
    if named is not None:
        return datasets.find(named)
    return find([model], run_store.list_runs(runs_dir)) or datasets.find(default)


def find(models: Sequence[Path], stored: StoredRuns) -> Dataset | None:
    """Return the data set that models were trained on; ``None`` if no stored run made one.

    A record only chooses the test images: the model is vetted and measured like any other.

    Raises
    ------
    UsageError
        The models are of several data sets, or of one that is not known here.
    """
    names = {run.sha256: run.trained_on for run in stored.runs}
    found: dict[str, Path] = {}  # the first model of each data set
    for model in models if names else ():
        try:
            content = disk.read_regular(model, limit=LARGEST_MODEL)
        except OSError:  # the check says why
            continue
        if name := names.get(hashlib.sha256(content).hexdigest()):
            found.setdefault(name, model)
    if len(found) > 1:
        shown = ", ".join(f"{printable(name)} ({path})" for name, path in found.items())
        raise UsageError(
            "--dataset",
            expected="models of one data set",
            found=shown,
            remedy="Check the models of each data set on their own, or name one with --dataset.",
        )
    try:
        return next((datasets.find(name) for name in found), None)
    except UsageError as error:
        (path,) = found.values()
        raise error.about(f"the data set of the run that made {printable(str(path))}") from error
