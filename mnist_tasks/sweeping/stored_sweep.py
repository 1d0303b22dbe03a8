"""The folder of a sweep, as it is read again."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import msgspec

from mnist_tasks import disk, run_store
from mnist_tasks import record_ranges as ranges
from mnist_tasks.errors import InputRefusedError
from mnist_tasks.records import RunRecord
from mnist_tasks.run_store import StoredRecords
from mnist_tasks.sweeping import ranking
from mnist_tasks.sweeping.ranking import Rank
from mnist_tasks.sweeping.summary import SUMMARY_NAME, FailedRun

NAME_A_SWEEP = "Run `mnist-tasks sweep` with a new --output folder, and name that folder."
RERUN = "Rerun the sweep: it repeats only runs whose record or model is missing or damaged."


class _Summary(msgspec.Struct):
    """The part of a sweep's summary that is read here."""

    runs: ranges.Count
    evaluated_on: Literal["validation", "test", ""] = ""
    failed: tuple[FailedRun, ...] = ()


@dataclass(frozen=True, kw_only=True)
class StoredSweep:
    """The runs of a sweep.

    Attributes
    ----------
    records
        Of the runs that are done, the oldest first.
    skipped
        Why each other record of the folder can't be read.
    evaluated_on
        ``validation`` or ``test``.
    planned
        Number of runs in the plan, and of those of other plans that came before; ``None`` if the
        sweep is unfinished.
    failed
        The runs that failed when the sweep was last run, and have no record since.
    """

    folder: Path
    records: tuple[RunRecord, ...]
    skipped: tuple[str, ...]
    evaluated_on: str
    planned: int | None
    failed: tuple[FailedRun, ...]

    @property
    def images(self) -> int:
        """The number of images that the models are evaluated on; 0 if no run is done."""
        trial = self.records[0].trial if self.records else None
        return trial.metrics.images if trial else 0

    @cached_property
    def ranking(self) -> tuple[Rank, ...]:
        """The settings, the most accurate first."""
        return ranking.rank(self.records)

    @cached_property
    def by_name(self) -> dict[str, list[RunRecord]]:
        """The runs of each setting, by its name in the ranking."""
        found = ranking.by_setting(self.records)
        return {setting.name: runs for setting, runs in found.items()}

    @property
    def missing(self) -> int | None:
        """The number of runs in the plan that have no record; ``None`` if it is unknown."""
        return None if self.planned is None else max(0, self.planned - len(self.records))


def find(folder: Path) -> StoredSweep | None:
    """Return the sweep of a folder, or ``None`` if it is no folder of a sweep.

    Raises
    ------
    InputRefusedError
        It has the runs of several sweeps.
    """
    if not folder.is_dir() or (folder / run_store.RECORD_NAME).is_file():
        return None
    stored = run_store.read_all(folder, remedy=NAME_A_SWEEP)
    has_summary = (folder / SUMMARY_NAME).is_file()
    is_sweep = has_summary or any(record.trial for record in stored.records)
    return _of(folder, stored) if is_sweep else None


def read(folder: Path) -> StoredSweep:
    """Read the runs of a sweep.

    Raises
    ------
    InputRefusedError
        The folder contains no sweep, or several.
    """
    return _of(folder, run_store.read_all(folder, remedy=NAME_A_SWEEP))


def _of(folder: Path, stored: StoredRecords) -> StoredSweep:
    records = tuple(record for record in stored.records if record.trial)
    summary = _summary(folder)
    evaluated_on = {record.trial.evaluated_on for record in records if record.trial}
    if not records and not (summary and summary.failed):
        found = "; ".join(stored.skipped) or ("none" if folder.is_dir() else "no such folder")
        raise refused(folder, found, RERUN if stored.skipped else NAME_A_SWEEP)
    if len(evaluated_on) > 1:
        found = "runs evaluated on validation images and runs evaluated on test images"
        raise refused(folder, found, NAME_A_SWEEP)
    if mixed := _mixed_setting(records):
        found = f"runs of {mixed} that differ in more than their seeds"
        raise refused(folder, found, NAME_A_SWEEP)
    done = {record.id for record in records}
    failed = tuple(each for each in summary.failed if each.id not in done) if summary else ()
    return StoredSweep(
        folder=folder,
        records=records,
        skipped=stored.skipped,
        evaluated_on=evaluated_on.pop() if evaluated_on else getattr(summary, "evaluated_on", ""),
        planned=max(summary.runs, len(records) + len(failed)) if summary else None,
        failed=failed,
    )


def refused(folder: Path, found: str, remedy: str) -> InputRefusedError:
    """Return the error about a folder whose runs are not those of one sweep."""
    expected = "the records of one sweep, all evaluated on the same images"
    return InputRefusedError(str(folder), expected=expected, found=found, remedy=remedy)


def _mixed_setting(records: tuple[RunRecord, ...]) -> str | None:
    """Return a setting with runs of several sweeps, such as with another limit or more threads."""
    for setting, runs in ranking.by_setting(records).items():
        first, *others = map(_all_but_the_seed, runs)
        if any(other != first for other in others):
            return setting.name
    return None


def _all_but_the_seed(run: RunRecord) -> object:
    """Return what decides a run's result apart from its seed, for comparison with other runs."""
    if run.trial and run.trial.digest:
        return run.trial.digest
    # A record of a version that did not write the digest.
    return run.recipe, run.limit, run.machine.device, run.machine.threads


def _summary(folder: Path) -> _Summary | None:
    """Return the summary of a sweep; ``None`` if it is missing, as before its end, or not valid."""
    try:
        return msgspec.json.decode(disk.read_regular(folder / SUMMARY_NAME), type=_Summary)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
