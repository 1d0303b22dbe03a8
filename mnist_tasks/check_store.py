"""Checks of models that no run made: ``runs/checks/<SHA-256>/check.json``, with the predictions."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import msgspec

from mnist_tasks import (
    disk,
    json_text,
    listed_runs,
    locks,
    looks,
    predictions,
    record_json,
    run_store,
)
from mnist_tasks.check_records import Check
from mnist_tasks.errors import EnvironmentProblemError, InputRefusedError, printable
from mnist_tasks.foreground import command_line
from mnist_tasks.records import Machine, RunRecord
from mnist_tasks.run_store import StoredRuns

FOLDER, FILE_NAME = "checks", "check.json"
HASH_DIGITS = 16  # of the name of a check's folder


def attach(
    check: Check,
    runs: Path,
    probabilities: predictions.Probabilities | None = None,
    *,
    stored: StoredRuns | None = None,
    on_skipped: Callable[[str], object] = lambda _: None,
) -> None:
    """Add a check to the record of the run that made the model; without one, save the check alone.

    The model is also counted in the ledger of looks at the test images.

    Parameters
    ----------
    probabilities : (n, classes) float32 in [0, 1]
        The model's predictions for the test images.
    stored
        The runs of the folder, if they are known.
    on_skipped
        Called with a message for each record that was skipped, and if a check alone can't be saved
        or the model can't be counted.

    Raises
    ------
    EnvironmentProblemError
        The run's record can't be written.
    """
    attached: RunRecord | None = None
    try:
        attached = attach_to_run(check, runs, probabilities, stored=stored, on_skipped=on_skipped)
    finally:  # the model was looked at, whatever can be written
        look = looks.of(attached or as_record(check))
        looks.add([look] if look else [], runs, on_skipped=on_skipped)
    if attached is not None:
        return
    folder = _folder(runs, check.model.sha256)
    try:
        with disk.writable(folder, remedy=run_store.OTHER_FOLDER), locks.alone(folder):
            if probabilities is not None:
                path = predictions.save(probabilities, folder)
                check = replace(check, predictions=disk.sha256(path))
            check = _in_order(check, runs)
            disk.write(folder / FILE_NAME, json_text.to_json(check), staging=folder.parent)
    except EnvironmentProblemError as error:
        on_skipped(f"the report of {printable(check.model.path)}: {error}")


def attach_to_run(
    check: Check,
    runs: Path,
    probabilities: predictions.Probabilities | None = None,
    *,
    stored: StoredRuns | None = None,
    on_skipped: Callable[[str], object] = lambda _: None,
) -> RunRecord | None:
    """Add a check to the record of the run that made the model, which its hash identifies.

    If several runs made the same bytes, it is the newest, or the one that keeps the checked file.

    Return the record with the check; ``None`` if none of the runs produced this model.

    Parameters
    ----------
    probabilities : (n, classes) float32 in [0, 1]
        The model's predictions for the test images, to be saved beside the record.
    stored
        The runs of the folder, if they are known.
    on_skipped
        Called with a message for each record that was skipped.
    """
    stored = stored or run_store.list_runs(runs)
    for each in stored.skipped:
        on_skipped(each)
    run = stored.newest_of(check.model.sha256, check.model.path)
    if run is None:
        return None
    # The run may be deleted at any time, and its folder must not come back without its model.
    with disk.writable(runs, remedy=run_store.OTHER_FOLDER), suppress(FileNotFoundError):
        try:
            record, own = run_store.of_listed(run, runs)
        except InputRefusedError as error:
            on_skipped(run_store.message(error))
            return None
        with locks.alone(own):  # against another check, whose predictions may be others
            if probabilities is not None:
                content = predictions.to_bytes(probabilities)
                disk.write(own / predictions.FILE_NAME, content)
                check = replace(check, predictions=hashlib.sha256(content).hexdigest())
            record = replace(record, check=check)
            disk.write(own / run_store.RECORD_NAME, record_json.to_json(record))
        return record
    return None


def find(stored: StoredRuns, runs: Path, model: Path) -> tuple[RunRecord, Path]:
    """Return the newest run that made a model file, or its check as a record, and the folder.

    Raises
    ------
    InputRefusedError
        No run made it, and it was not checked.
    """
    try:
        digest = disk.sha256(model)
    except OSError as error:
        found = error.strerror or str(error)
        raise InputRefusedError(str(model), expected="a model file", found=found) from error
    if (run := stored.newest_of(digest, model)) is not None:
        return run_store.of_listed(run, runs)
    folder = _folder(runs, digest)
    check = _read(folder / FILE_NAME)
    if check is not None and check.model.sha256 == digest:
        return as_record(check), folder
    raise InputRefusedError(
        str(model),
        expected=f"a model that a run in {runs} made, or that was checked",
        found="neither",
        remedy=f"Run `mnist-tasks check {command_line([str(model)])}`, then repeat this command.",
    )


def find_named(stored: StoredRuns, runs: Path, name: str) -> tuple[RunRecord, Path]:
    """Return the run of a model file, as `find` does, or that of another name.

    Raises
    ------
    InputRefusedError
        As `find`, or `run_store.find`.
    """
    with suppress(OSError, ValueError):  # the name may be too long for a path
        if Path(name).is_file() and Path(name).suffix != Path(run_store.RECORD_NAME).suffix:
            return find(stored, runs, Path(name))
    return run_store.find(stored, runs, name)


def newest(runs: Path) -> Check | None:
    """Return the newest check of a model that no run made."""
    return max(_all(runs).values(), key=_time, default=None)


def old(runs: Path, keep: int) -> list[Path]:
    """Return the folders of all but the newest checks."""
    found = _all(runs)
    oldest_first = sorted(found, key=lambda folder: _time(found[folder]))
    return oldest_first[: max(0, len(found) - keep)]


def as_record(check: Check) -> RunRecord:
    """Return a check as the record of a run of which nothing is known: it has no epochs."""
    return RunRecord(
        id=check.model.sha256[:HASH_DIGITS],
        created=check.created,
        command=f"mnist-tasks check {command_line([check.model.path])}",
        recipe={"name": Path(check.model.path).name},
        seed=None,
        limit=None,
        machine=Machine(device="unknown", threads=0, cores=0, platform="unknown", versions={}),
        data={},
        epochs=(),
        seconds={},
        model=check.model,
        check=check,
        dataset=check.dataset,
    )


def _in_order(check: Check, runs: Path) -> Check:
    """Return a new check so that it is the newest, as `run_store.in_order`."""
    times = [_time(each) for each in _all(runs).values()]
    if not times or _time(check) > max(times):
        return check
    return replace(check, order=listed_runs.following(max(times)))


def _time(check: Check) -> datetime:
    return listed_runs.time_of(check.created, check.order)


def _folder(runs: Path, sha256: str) -> Path:
    return runs / FOLDER / sha256[:HASH_DIGITS]


def _all(runs: Path) -> dict[Path, Check]:
    """Return the valid checks by their folders, each of which is named after its model."""
    found = {path.parent: _read(path) for path in (runs / FOLDER).glob(f"*/{FILE_NAME}")}
    return {
        folder: check
        for folder, check in found.items()
        if check is not None and folder == _folder(runs, check.model.sha256)
    }


def _read(path: Path) -> Check | None:
    """Return a saved check; ``None`` if there is none, or it is not valid."""
    try:
        check = msgspec.json.decode(disk.read_regular(path), type=Check)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return None if record_json.invalid(as_record(check)) else check
