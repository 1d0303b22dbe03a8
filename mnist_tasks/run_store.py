"""The records of past runs on disk: ``runs/<id>/run.json``, one JSON document each.

A record describes one training run and the last check of its model. It is accepted only in the
folder named after its id, so that a forged record can't redirect a write or a deletion.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from mnist_tasks import disk, json_text, old_records, predictions
from mnist_tasks.dataset_info import DatasetInfo
from mnist_tasks.errors import InputRefusedError, printable
from mnist_tasks.records import SCHEMA, Check, Metrics, RunRecord

RECORD_NAME = "run.json"
LATEST = "latest"
RECIPE_DEPTH = 8  # of a record: a recipe has a list of layers, each with its settings
OTHER_FOLDER = "Name another folder with --runs."


@dataclass(frozen=True, kw_only=True)
class StoredRuns:
    """The records of a folder, oldest first, and a message for each that was skipped."""

    records: tuple[RunRecord, ...] = ()
    skipped: tuple[str, ...] = ()

    def newest_of(self, sha256: str) -> RunRecord | None:
        """Return the newest run that made the model with this hash, if there is one."""
        return next((each for each in reversed(self.records) if each.model.sha256 == sha256), None)


def save(
    record: RunRecord, folder: Path, *, remedy: str = OTHER_FOLDER, staging: Path | None = None
) -> Path:
    """Write a record below a folder of runs, atomically, and return its path.

    `remedy` is what the user can do if it can't be written; `staging` is as in `disk.replacing`.

    Raises
    ------
    EnvironmentProblemError
        The folder can't be written.
    """
    path = folder / record.id / RECORD_NAME
    with disk.writable(path.parent, remedy=remedy):
        disk.write(path, json_text.to_json(record), staging=staging)
    return path


def read(path: Path) -> RunRecord:
    """Read one record.

    Raises
    ------
    InputRefusedError
        The file is missing, or is not a valid record of a known schema.
    """
    try:
        written = msgspec.json.decode(disk.read_regular(path))
        record = msgspec.convert(old_records.upgrade(written), type=RunRecord)
    except OSError as error:
        reason = error.strerror or str(error)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        reason = printable(str(error))
    else:
        reason = invalid(record)
        if not reason:
            return record
    raise InputRefusedError(
        str(path),
        expected=f"a run record, schema {SCHEMA} or older",
        found=reason,
        remedy="Name the run.json of a run, or update mnist-tasks.",
    )


def read_all(folder: Path, *, remedy: str = OTHER_FOLDER) -> StoredRuns:
    """Read all records of a folder of runs; a missing folder has none.

    `remedy` is what the user can do if the folder can't be read.

    Raises
    ------
    InputRefusedError
        The folder can't be read, or is not a folder.
    """
    try:
        os.scandir(folder).close()
    except FileNotFoundError:
        return StoredRuns()
    except OSError as error:
        expected, found = "a folder of run records", error.strerror or str(error)
        raise InputRefusedError(
            str(folder), expected=expected, found=found, remedy=remedy
        ) from error
    records = []
    skipped = []
    for path in sorted(record_files(folder)):
        try:
            record = read(path)
        except InputRefusedError as error:
            skipped.append(f"{printable(error.subject)}: {error.found}")
            continue
        if record.id == path.parent.name:
            records.append(record)
        else:
            misplaced = f"its folder is not named after its run, {printable(record.id)}"
            skipped.append(f"{printable(str(path))}: {misplaced}")
    records.sort(key=lambda record: (record.created, record.id))
    return StoredRuns(records=tuple(records), skipped=tuple(skipped))


def record_files(folder: Path) -> list[Path]:
    """Return the paths of the records in a folder, without those of runs that are being made."""
    found = folder.glob(f"*/{RECORD_NAME}")
    return [path for path in found if not path.parent.name.startswith(".")]


def find(stored: StoredRuns, folder: Path, name: str) -> tuple[RunRecord, Path]:
    """Return the record of a run, and its folder.

    `name` is ``latest``, an id or a unique prefix of one, or the path of a record or of its folder.

    Raises
    ------
    InputRefusedError
        No run has that name, or several runs match it.
    """
    if name == LATEST and not stored.records:
        raise InputRefusedError(
            str(folder),
            expected="at least one run record",
            found="; ".join(stored.skipped) or "none",
            remedy="Run `mnist-tasks train`, then `mnist-tasks check`. For a model of your own: "
            "`mnist-tasks check MODEL`, then `mnist-tasks report MODEL`.",
        )
    if name == LATEST:
        return stored.records[-1], folder / stored.records[-1].id
    matches = [record for record in stored.records if record.id.startswith(name)]
    found = [record for record in matches if record.id == name] or matches
    if len(found) == 1:
        return found[0], folder / found[0].id
    path = Path(name)
    # The name may be too long for a path, or the folder not readable.
    with suppress(OSError, ValueError):
        path = path / RECORD_NAME if path.is_dir() else path
        if not found and path.is_file():
            return read(path), path.parent
    raise InputRefusedError(
        printable(name) or "an empty name",
        expected=f"the id of a run in {folder}, a unique prefix of it, the path of a record or "
        "of a checked model",
        found=", ".join(record.id for record in found[:5]) if found else "no such run",
        remedy="Run `mnist-tasks runs` to list them.",
    )


def delete(record: RunRecord, folder: Path) -> None:
    """Delete a run's folder and everything in it.

    Raises
    ------
    EnvironmentProblemError
        The folder can't be deleted, or is a symbolic link.
    """
    with disk.writable(folder, remedy="Delete it by hand, or keep it."):
        shutil.rmtree(folder / record.id)


def attach(
    check: Check,
    folder: Path,
    probabilities: predictions.Probabilities | None = None,
    *,
    on_skipped: Callable[[str], object] = lambda _: None,
) -> RunRecord | None:
    """Add a check to the newest record of the checked model, which its hash identifies.

    Return the record with the check; ``None`` if no run in the folder produced this model.

    Parameters
    ----------
    probabilities : (n, classes) float32 in [0, 1]
        The model's predictions for the test images, to be saved beside the record.
    on_skipped
        Called with a message for each record that was skipped.
    """
    stored = read_all(folder)
    for each in stored.skipped:
        on_skipped(each)
    record = stored.newest_of(check.model.sha256)
    if record is None:
        return None
    checked = replace(record, check=check)
    if probabilities is not None:
        path = predictions.save(probabilities, folder / record.id)
        checked = replace(record, check=replace(check, predictions=disk.sha256(path)))
    save(checked, folder)
    return checked


def invalid(record: RunRecord) -> str:
    """Return why a well-formed record is not valid; empty if it is."""
    check, trial = record.check, record.trial
    if record.schema > SCHEMA:
        return f"schema {record.schema}, written by a newer version"
    if not isinstance(record.recipe.get("name"), str):
        return "its recipe has no name"
    if not _is_shallow(record.recipe):
        return "its recipe is nested too deeply"
    if check and check.model.sha256 != record.model.sha256:
        return "its check is of another model file"
    measured = (
        (check and check.metrics, (check or record).dataset),
        (trial and trial.metrics, record.dataset),
    )
    faults = (_invalid_metrics(metrics, info) for metrics, info in measured if metrics)
    return next(filter(None, faults), "")


def _invalid_metrics(metrics: Metrics, info: DatasetInfo) -> str:
    if not metrics.images:
        return "its confusion matrix has no images"
    if {len(metrics.confusion), *map(len, metrics.confusion)} != {len(info.classes)}:
        return f"its confusion matrix is not of {len(info.classes)} classes"
    return ""


def _is_shallow(value: Any, depth: int = RECIPE_DEPTH) -> bool:
    if not isinstance(value, dict | list):
        return True
    inner = value.values() if isinstance(value, dict) else value
    return depth > 0 and all(_is_shallow(each, depth - 1) for each in inner)
