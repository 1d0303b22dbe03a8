"""The records of past runs on disk: ``runs/<id>/run.json``, one JSON document each.

A record tells everything of one training and of the last check of the model that it left. It counts
only in the folder that bears its name, so that nothing is ever written or deleted elsewhere on a
record's word.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from mnist_tasks import disk, old_records
from mnist_tasks.errors import InputRefusedError, printable
from mnist_tasks.records import SCHEMA, Check, RunRecord

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RECORD_NAME = "run.json"
LATEST = "latest"
OTHER_FOLDER = "Name another folder with --runs."


@dataclass(frozen=True, kw_only=True)
class StoredRuns:
    """The records of a folder, oldest first, and what there was that is none."""

    records: tuple[RunRecord, ...] = ()
    skipped: tuple[str, ...] = ()


def to_json(value: object) -> bytes:
    """Return a result as an indented JSON document."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def save(
    record: RunRecord, folder: Path, *, remedy: str = OTHER_FOLDER, staging: Path | None = None
) -> Path:
    """Write a record to its place below a folder of runs, whole or not at all.

    Parameters
    ----------
    remedy
        What the user can do where it can't be written.
    staging
        As in `disk.replacing`.

    Raises
    ------
    EnvironmentProblemError
        The folder can't be written.
    """
    path = folder / record.id / RECORD_NAME
    with disk.writable(path.parent, remedy=remedy):
        disk.write(path, to_json(record), staging=staging)
    return path


def read(path: Path) -> RunRecord:
    """Read one record.

    Raises
    ------
    InputRefusedError
        There is none, or the file is not a record that this version reads.
    """
    try:
        written = msgspec.json.decode(path.read_bytes())
        record = msgspec.convert(old_records.upgrade(written), type=RunRecord)
    except OSError as error:
        reason = error.strerror or str(error)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        reason = printable(str(error))
    else:
        reason = _fault(record)
        if not reason:
            return record
    raise InputRefusedError(
        str(path),
        expected=f"the record of a run, schema {SCHEMA} or older",
        found=reason,
        remedy="Delete it, or update mnist-tasks.",
    )


def read_all(folder: Path, *, remedy: str = OTHER_FOLDER) -> StoredRuns:
    """Read all records of a folder of runs; what is none is named and passed over.

    Parameters
    ----------
    remedy
        What the user can do where it can't be read.

    Raises
    ------
    InputRefusedError
        There is such a path, and it is no folder that can be read.
    """
    try:
        with os.scandir(folder):
            pass
    except FileNotFoundError:
        return StoredRuns()
    except OSError as error:
        raise InputRefusedError(
            str(folder),
            expected="a folder of run records",
            found=error.strerror or str(error),
            remedy=remedy,
        ) from error
    records = []
    skipped = []
    for path in sorted(folder.glob(f"*/{RECORD_NAME}")):
        try:
            record = read(path)
        except InputRefusedError as error:
            skipped.append(f"{printable(error.subject)}: {error.found}")
            continue
        if record.id == path.parent.name:
            records.append(record)
        else:
            skipped.append(f"{printable(str(path))}: the record of {printable(record.id)}")
    records.sort(key=lambda record: (record.created, record.id))
    return StoredRuns(records=tuple(records), skipped=tuple(skipped))


def latest(ledger: StoredRuns, folder: Path) -> RunRecord:
    """Return the newest record.

    Raises
    ------
    InputRefusedError
        There is none in the folder.
    """
    if not ledger.records:
        raise InputRefusedError(
            str(folder),
            expected="the record of a run",
            found="; ".join(ledger.skipped) or "none",
            remedy="Run `mnist-tasks train`, then `mnist-tasks check`.",
        )
    return ledger.records[-1]


def find(ledger: StoredRuns, folder: Path, name: str) -> tuple[RunRecord, Path]:
    """Return the record that a name stands for, and its folder.

    Parameters
    ----------
    name
        ``latest``; a run's id, or how it begins; or a path: a record's, or of the folder it is in.

    Raises
    ------
    InputRefusedError
        There is none, or several.
    """
    if name == LATEST:
        record = latest(ledger, folder)
        return record, folder / record.id
    found = [record for record in ledger.records if record.id.startswith(name)]
    exact = [record for record in found if record.id == name]
    if len(exact or found) == 1:
        record = (exact or found)[0]
        return record, folder / record.id
    path = Path(name)
    # The system may refuse to look at all: a name too long, a folder that can't be entered.
    with suppress(OSError, ValueError):
        path = path / RECORD_NAME if path.is_dir() else path
        if not found and path.is_file():
            return read(path), path.parent
    raise InputRefusedError(
        printable(name) or "an empty name",
        expected=f"the id of one run in {folder}, how it begins, or a record's path",
        found=", ".join(record.id for record in found[:5]) if found else "no such run",
        remedy="`mnist-tasks runs` lists them.",
    )


def delete(record: RunRecord, folder: Path) -> None:
    """Delete a run's folder with all that is in it.

    Raises
    ------
    EnvironmentProblemError
        It can't be deleted, or is a link to a folder elsewhere.
    """
    with disk.writable(folder, remedy="Delete it by hand, or let it be."):
        shutil.rmtree(folder / record.id)


def attach(
    check: Check, folder: Path, probabilities: NDArray[np.float32] | None = None
) -> RunRecord | None:
    """Write a check into the latest record of the model that it looked at, known by its hash.

    Parameters
    ----------
    probabilities : (n, 10) float32 in [0, 1]
        The model's predictions for the test images, to be kept beside the record.

    Returns
    -------
    record
        The record as it now stands; ``None`` when no run in the folder made this model.
    """
    for record in reversed(read_all(folder).records):
        if record.model.sha256 == check.model.sha256:
            if probabilities is not None:
                from mnist_tasks import predictions

                predictions.save(probabilities, folder / record.id)
            checked = replace(record, check=check)
            save(checked, folder)
            return checked
    return None


def _fault(record: RunRecord) -> str:
    """Say why what has the form of a record can't be one; empty where it can."""
    if record.schema > SCHEMA:
        return f"schema {record.schema}, written by a newer version"
    if not record.epochs:
        return "it has no epoch"
    for judged in (record.check, record.trial):
        metrics = judged.metrics if judged else None
        if metrics and {len(metrics.confusion), *map(len, metrics.confusion)} != {10}:
            return "its confusion matrix is not 10 x 10"
    return ""
