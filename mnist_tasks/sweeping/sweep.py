"""A whole sweep: what is done is kept, what is not is run, and the settings are ranked.

A sweep's folder is a folder of run records, as `ledger` has it: each run has its record and its
model there, written by one process alone, the record last. What has no record was not done.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from mnist_tasks import disk, run_store
from mnist_tasks.errors import InputRefusedError
from mnist_tasks.sweeping import ranking
from mnist_tasks.sweeping.events import Began, Ended, Lost
from mnist_tasks.sweeping.job import Failed, Result

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from mnist_tasks.errors import Failure
    from mnist_tasks.records import RunRecord
    from mnist_tasks.sweeping.events import Event
    from mnist_tasks.sweeping.plan import Job, Plan
    from mnist_tasks.sweeping.ranking import Rank

    Engine = Callable[[Sequence[Job], Path], Generator[Event]]

SCHEMA = 1
SUMMARY_NAME = "sweep.json"
OTHER_FOLDER = "Name another folder with --output."
_WORK_PREFIX = ".mnist-tasks-sweep-"
_LOCK_TIMEOUT = 1.0  # seconds: a sweep that holds the folder will go on for long


class Progress(Protocol):
    """What is told of a sweep while it goes on."""

    def begin(self, jobs: Sequence[Job], done: Sequence[RunRecord]) -> None:
        """Say which runs there are, and which were done before."""

    def began(self, job: Job) -> None:
        """Say that a run was given to a worker."""

    def lost(self, job: Job, reason: str) -> None:
        """Say that a worker died at a run, which will be tried again."""

    def ended(self, job: Job, outcome: RunRecord | Failure) -> None:
        """Say that a run is done, or has failed for good."""


@dataclass(frozen=True, kw_only=True)
class FailedRun:
    """A run that could not be done."""

    id: str
    setting: str
    seed: int
    failure: Failure


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """The outcome of a sweep, which also stands in its folder as ``sweep.json``.

    Attributes
    ----------
    images
        How many there were to judge by.
    runs
        How many the plan has.
    kept
        How many of them were done before.
    exit_code
        The worst of the runs that failed; 0 where all are done.
    """

    folder: str
    evaluated_on: str
    images: int
    runs: int
    done: int
    kept: int
    failed: tuple[FailedRun, ...]
    ranking: tuple[Rank, ...]
    exit_code: int
    schema: int = SCHEMA


def run(plan: Plan, folder: Path, engine: Engine, *, progress: Progress) -> Sweep:
    """Run what is not done yet of a plan, and rank its settings.

    Parameters
    ----------
    engine
        Runs jobs and tells what becomes of them, given a folder for its temporary files.

    Raises
    ------
    EnvironmentProblemError
        The folder can't be written, another sweep is at work in it, or the engine can't run.
    """
    jobs = plan.jobs(folder)
    failed: list[tuple[FailedRun, int]] = []
    with _alone_in(folder) as work:
        before = {job.id: record for job in jobs if (record := _done(job, folder))}
        found = dict(before)
        progress.begin(jobs, tuple(before.values()))
        waiting = [job for job in jobs if job.id not in found]
        with contextlib.closing(engine(waiting, work)) as events:
            for event in events:
                match event:
                    case Began():
                        progress.began(event.job)
                    case Lost():
                        progress.lost(event.job, event.reason)
                    case Ended(job=job, outcome=Failed() as outcome):
                        failed.append((_failed(job, outcome.failure), outcome.exit_code))
                        progress.ended(job, outcome.failure)
                    case Ended(job=job, outcome=Result() as outcome):
                        found[job.id] = _save(outcome, folder, work)
                        progress.ended(job, found[job.id])
        records = [found[job.id] for job in jobs if job.id in found]
        metrics = [record.trial.metrics for record in records if record.trial]
        result = Sweep(
            folder=str(folder),
            evaluated_on=plan.evaluated_on,
            images=metrics[0].images if metrics else 0,
            runs=len(jobs),
            done=len(records),
            kept=len(before),
            failed=tuple(each for each, _ in failed),
            ranking=ranking.rank(records),
            exit_code=max((code for _, code in failed), default=0),
        )
        with disk.writable(folder, remedy=OTHER_FOLDER):
            disk.write(folder / SUMMARY_NAME, run_store.to_json(result), staging=work)
    return result


@contextlib.contextmanager
def _alone_in(folder: Path) -> Generator[Path]:
    """Hold a sweep's folder, and yield a place in it for temporary files, which is then removed.

    What a sweep that was killed has left there is removed as well.
    """
    with contextlib.ExitStack() as held:
        with disk.writable(folder, remedy=OTHER_FOLDER):
            held.enter_context(disk.locked(folder, timeout=_LOCK_TIMEOUT, on_wait=lambda: None))
            for left in folder.glob(f"{_WORK_PREFIX}*"):
                shutil.rmtree(left, ignore_errors=True)
            work = Path(tempfile.mkdtemp(prefix=_WORK_PREFIX, dir=folder))
        held.callback(shutil.rmtree, work, ignore_errors=True)
        yield work


def _done(job: Job, folder: Path) -> RunRecord | None:
    """Return the record of a job that is done: of this setting, with its model as it was saved."""
    path = folder / job.id / run_store.RECORD_NAME
    try:
        record = run_store.read(path) if path.is_file() else None
        is_whole = (
            record is not None
            and record.id == job.id
            and record.trial is not None
            and record.trial.settings == dict(job.setting.values)
            and job.config.output.is_file()
            and disk.sha256(job.config.output) == record.model.sha256
        )
    except (InputRefusedError, OSError):
        return None
    return record if is_whole else None


def _save(result: Result, folder: Path, work: Path) -> RunRecord:
    """Write a run's model, and then its record: where that is, the other is as well."""
    record = result.record
    with disk.writable(folder / record.id, remedy=OTHER_FOLDER):
        disk.write(Path(record.model.path), result.model, staging=work)
    run_store.save(record, folder, remedy=OTHER_FOLDER, staging=work)
    return record


def _failed(job: Job, failure: Failure) -> FailedRun:
    return FailedRun(id=job.id, setting=job.setting.name, seed=job.config.seed, failure=failure)
