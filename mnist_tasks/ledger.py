"""The records of past runs on disk: ``runs/<id>/run.json``, one JSON document each.

A record tells everything of one training and of the last check of the model that it left.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import msgspec

from mnist_tasks import disk
from mnist_tasks.errors import InputRefusedError, printable
from mnist_tasks.records import SCHEMA, Check, RunRecord

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

RECORD_NAME = "run.json"
OTHER_FOLDER = "Name another folder with --runs."


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """The records of a folder, oldest first, and what there was that is none."""

    records: tuple[RunRecord, ...] = ()
    passed_over: tuple[str, ...] = ()


def to_json(value: object) -> bytes:
    """Return a result as an indented JSON document."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def save(record: RunRecord, folder: Path) -> Path:
    """Write a record to its place below a folder of runs, whole or not at all.

    Raises
    ------
    EnvironmentLacksError
        The folder can't be written.
    """
    path = folder / record.id / RECORD_NAME
    with disk.writable(path.parent, remedy=OTHER_FOLDER):
        disk.write(path, to_json(record))
    return path


def read(path: Path) -> RunRecord:
    """Read one record.

    Raises
    ------
    InputRefusedError
        There is none, or the file is not a record that this version reads.
    """
    try:
        record = msgspec.json.decode(path.read_bytes(), type=RunRecord)
    except OSError as error:
        reason = error.strerror or str(error)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        reason = printable(str(error))
    else:
        if record.schema <= SCHEMA:
            return record
        reason = f"schema {record.schema}, written by a newer version"
    raise InputRefusedError(
        str(path),
        expected=f"the record of a run, schema {SCHEMA} or older",
        found=reason,
        remedy="Delete it, or update mnist-tasks.",
    )


def read_all(folder: Path) -> Ledger:
    """Read all records of a folder of runs; what is none is named and passed over."""
    records = []
    passed_over = []
    for path in sorted(folder.glob(f"*/{RECORD_NAME}")):
        try:
            records.append(read(path))
        except InputRefusedError as error:
            passed_over.append(f"{printable(error.subject)}: {error.found}")
    records.sort(key=lambda record: (record.created, record.id))
    return Ledger(records=tuple(records), passed_over=tuple(passed_over))


def latest(ledger: Ledger, folder: Path) -> RunRecord:
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
            found="; ".join(ledger.passed_over) or "none",
            remedy="Run `mnist-tasks train`, then `mnist-tasks check`.",
        )
    return ledger.records[-1]


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
