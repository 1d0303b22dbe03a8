"""The records of past runs on disk: ``runs/<id>/run.json``, one JSON document each.

A record describes one training run and the last check of its model. It is accepted only in the
folder named after its id, so that a forged record can't redirect a write or a deletion.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from mnist_tasks import disk, listed_runs, record_json
from mnist_tasks.errors import InputRefusedError, printable
from mnist_tasks.listed_runs import ListedRun
from mnist_tasks.records import SCHEMA, RunRecord

RECORD_NAME = "run.json"
LATEST = "latest"
OTHER_FOLDER = "Name another folder with --runs."
Run = TypeVar("Run", ListedRun, RunRecord)


@dataclass(frozen=True, kw_only=True)
class StoredRuns:
    """The runs of a folder, oldest first, and a message for each record that was skipped.

    Only the record of the newest run is known to be valid as a whole.
    """

    runs: tuple[ListedRun, ...] = ()
    skipped: tuple[str, ...] = ()

    @property
    def newest_time(self) -> datetime:
        """The time by which the newest run is sorted; the earliest if there is none."""
        return self.runs[-1].time if self.runs else listed_runs.EARLIEST

    def newest_of(self, sha256: str, path: str | Path = "") -> ListedRun | None:
        """Return the newest run that made the model with this hash, if there is one.

        If several did, `path` decides: the file may be the one that a run keeps in its own folder.
        """
        own = Path(path).absolute().parent.name
        found = [run for run in self.runs if run.sha256 == sha256]
        return next((run for run in found if run.id == own), found[-1] if found else None)


@dataclass(frozen=True, kw_only=True)
class StoredRecords:
    """The records of a folder, oldest first, and a message for each that was skipped."""

    records: tuple[RunRecord, ...] = ()
    skipped: tuple[str, ...] = ()


def save(
    record: RunRecord, folder: Path, *, remedy: str = OTHER_FOLDER, staging: Path | None = None
) -> Path:
    """Write a record below a folder of runs, atomically, and return its path.

    `remedy` is what the user can do if it can't be written; `staging` is as in `disk.write`.

    Raises
    ------
    EnvironmentProblemError
        The folder can't be written.
    """
    path = folder / record.id / RECORD_NAME
    with disk.writable(path.parent, remedy=remedy):
        # What is left in the folder of all runs is found by the next command that writes there.
        disk.write(path, record_json.to_json(record), staging=staging or folder)
    return path


def in_order(record: RunRecord, folder: Path) -> RunRecord:
    """Return the record of a new run so that it is sorted after all others of its folder.

    Their times don't tell if the clock was set back, or if two ended in the same second. As in the
    hybrid logical clocks of S. S. Kulkarni et al., "Logical physical clocks" (OPODIS 2014), the
    new one then follows the latest time that there is.
    """
    return after(record, list_runs(folder).newest_time)


def after(record: RunRecord, time: datetime) -> RunRecord:
    """Return a record so that it is sorted after a time."""
    if time_of(record) > time:
        return record
    return replace(record, order=listed_runs.following(time))


def time_of(record: RunRecord) -> datetime:
    """Return the time by which a run is sorted."""
    return listed_runs.time_of(record.created, record.order)


def read(path: Path) -> RunRecord:
    """Read one record.

    Raises
    ------
    InputRefusedError
        The file is missing, or is not a valid record of a known schema.
    """
    return _refusing(path, record_json.parse)


def list_runs(folder: Path, *, remedy: str = OTHER_FOLDER) -> StoredRuns:
    """Read what a list shows of all runs of a folder; a missing folder has none.

    `remedy` is what the user can do if the folder can't be read.

    Raises
    ------
    InputRefusedError
        The folder can't be read, or is not a folder.
    """
    runs, skipped = _read_each(folder, listed_runs.parse, remedy)
    runs.sort(key=lambda run: (run.time, run.id))
    while runs:
        try:
            read(folder / runs[-1].id / RECORD_NAME)
        except InputRefusedError as error:
            runs.pop()
            if not _is_absent(error):
                skipped.append(message(error))
        else:
            break
    return StoredRuns(runs=tuple(runs), skipped=tuple(sorted(skipped)))


def read_all(folder: Path, *, remedy: str = OTHER_FOLDER) -> StoredRecords:
    """Read all records of a folder as a whole; otherwise as `list_runs`."""
    records, skipped = _read_each(folder, record_json.parse, remedy)
    records.sort(key=lambda record: (time_of(record), record.id))
    return StoredRecords(records=tuple(records), skipped=tuple(skipped))


def find(stored: StoredRuns, folder: Path, name: str) -> tuple[RunRecord, Path]:
    """Return the record of a run, and its folder.

    `name` is ``latest``, an id or a unique prefix of one, or the path of a record or of its folder.

    Raises
    ------
    InputRefusedError
        No run has that name, or several runs match it.
    """
    if name == LATEST and not stored.runs:
        raise InputRefusedError(
            str(folder),
            expected="at least one run record",
            found="; ".join(stored.skipped) or "none",
            remedy="Run `mnist-tasks train`, then `mnist-tasks check`. For a model of your own: "
            "`mnist-tasks check MODEL`, then `mnist-tasks report MODEL`.",
        )
    if name == LATEST:
        return of_listed(stored.runs[-1], folder)
    matches = [run for run in stored.runs if name and run.id.startswith(name)]
    found = [run for run in matches if run.id == name] or matches
    if len(found) == 1:
        return of_listed(found[0], folder)
    path = Path(name)
    # The name may be too long for a path, or the folder not readable.
    with suppress(OSError, ValueError):
        path = path / RECORD_NAME if path.is_dir() else path
        if name and not found and path.is_file():
            return read(path), path.parent
    raise InputRefusedError(
        printable(name) or "an empty name",
        expected=f"the id of a run in {folder}, a unique prefix of it, the path of a record or "
        "of a checked model",
        found=", ".join(run.id for run in found[:5]) if found else "no such run",
        remedy="Run `mnist-tasks runs` to list them.",
    )


def of_listed(run: ListedRun, folder: Path) -> tuple[RunRecord, Path]:
    """Return the whole record of a run in a folder of runs, and its own folder.

    Raises
    ------
    InputRefusedError
        The rest of the record is not valid, or it was deleted meanwhile.
    """
    own = folder / run.id
    return read(own / RECORD_NAME), own


def _read_each(
    folder: Path, parse: Callable[[bytes], Run | str], remedy: str
) -> tuple[list[Run], list[str]]:
    """Return what `parse` makes of each record in a folder, and why others were skipped."""
    try:
        names = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    except FileNotFoundError:
        return [], []
    except OSError as error:
        expected, found = "a folder of run records", error.strerror or str(error)
        raise InputRefusedError(
            str(folder), expected=expected, found=found, remedy=remedy
        ) from error
    found_runs, skipped = [], []
    for name in names:
        path = folder / name / RECORD_NAME
        try:
            run = _refusing(path, parse)
        except InputRefusedError as error:
            if not _is_absent(error):
                skipped.append(message(error))
        else:
            if run.id == name:
                found_runs.append(run)
            else:
                misplaced = f"its folder is not named after its run, {printable(run.id)}"
                skipped.append(f"{printable(str(path))}: {misplaced}")
    return found_runs, skipped


def _is_absent(error: InputRefusedError) -> bool:
    """Whether there is no record: a folder is none of a run, or the run was deleted meanwhile."""
    return isinstance(error.__cause__, FileNotFoundError | NotADirectoryError)


def message(error: InputRefusedError) -> str:
    """Return the message about a record that is skipped because of an error."""
    return f"{printable(error.subject)}: {error.found}"


def _refusing(path: Path, parse: Callable[[bytes], Run | str]) -> Run:
    """Return what `parse` makes of a record, or refuse the file."""
    cause: Exception | None = None
    try:
        found = parse(disk.read_regular(path))
    except OSError as error:
        cause, found = error, error.strerror or str(error)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        cause, found = error, printable(str(error))
    if not isinstance(found, str):
        return found
    raise InputRefusedError(
        str(path),
        expected=f"a run record, schema {SCHEMA} or older",
        found=found,
        remedy="Name the run.json of a run, or update mnist-tasks.",
    ) from cause
