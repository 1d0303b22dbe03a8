"""Run a sweep: keep finished runs, run the others, rank the settings.

The folder of a sweep is a folder of run records, as in `run_store`. A run's model is written before
its record, so that a run with a record is finished.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from mnist_tasks import disk, json_text, locks, look_counts, looks, run_store, temporary
from mnist_tasks.errors import InputRefusedError
from mnist_tasks.looks import Look
from mnist_tasks.records import RunRecord
from mnist_tasks.sweeping import ranking
from mnist_tasks.sweeping.events import Event, Finished
from mnist_tasks.sweeping.job import Failed, Result
from mnist_tasks.sweeping.plan import Job, Plan
from mnist_tasks.sweeping.summary import SUMMARY_NAME, FailedRun, Sweep
from mnist_tasks.training import up_to_date

Executor = Callable[[Sequence[Job], Path], Generator[Event]]
OTHER_FOLDER = "Name another folder with --output."
_LOCK_TIMEOUT = 1.0  # seconds; another sweep may hold the lock for hours


class SweepObserver(Protocol):
    """Receives the progress of a sweep."""

    def begin(self, jobs: Sequence[Job], finished: Sequence[RunRecord]) -> None:
        """Handle the start of a sweep, some of whose jobs may have finished before."""

    def advance(self, event: Event) -> None:
        """Handle what an executor reports."""


def run(
    plan: Plan,
    folder: Path,
    executor: Executor,
    *,
    progress: SweepObserver,
    runs: Path | None = None,
    on_skipped: Callable[[str], object] = lambda _: None,
) -> Sweep:
    """Run the jobs of a plan that have not finished before, and rank its settings.

    Parameters
    ----------
    executor
        Runs jobs and yields what happens, given a folder for its temporary files.
    runs
        Folder of runs whose ledger counts the models that are evaluated on the test images.
    on_skipped
        Called with a message if they can't be counted.

    Raises
    ------
    EnvironmentProblemError
        The folder can't be written, another sweep is running in it, or the executor can't run.
    """
    jobs = plan.jobs(folder)
    failed: list[FailedRun] = []
    with _locked(folder) as work:
        newest = run_store.list_runs(folder, remedy=OTHER_FOLDER).newest_time
        records = {job.id: record for job in jobs if (record := _finished(job, folder))}
        kept = tuple(records.values())
        seen = _looks(plan, kept)
        if runs is not None:
            looks.add(seen, runs, on_skipped=on_skipped)
        progress.begin(jobs, kept)
        waiting = [job for job in jobs if job.id not in records]
        if waiting:
            with disk.writable(folder, remedy=OTHER_FOLDER):  # until all are done, it is unfinished
                (folder / SUMMARY_NAME).unlink(missing_ok=True)
        with contextlib.closing(executor(waiting, work)) as events:
            for event in events:
                match event:
                    case Finished(job=job, outcome=Failed() as outcome):
                        failed.append(
                            FailedRun(
                                id=job.id,
                                setting=job.setting.name,
                                seed=job.config.seed,
                                failure=outcome.failure,
                                exit_code=outcome.exit_code,
                            )
                        )
                    case Finished(job=job, outcome=Result() as outcome):
                        record = run_store.after(outcome.record, newest)
                        newest = run_store.time_of(record)
                        _save(replace(outcome, record=record), folder, work)
                        records[job.id] = record
                        seen += (new := _looks(plan, [record]))
                        if runs is not None:  # now: the sweep may be interrupted
                            looks.add(new, runs, on_skipped=on_skipped)
                progress.advance(event)
        done = [records[job.id] for job in jobs if job.id in records]
        result = Sweep(
            folder=str(folder),
            evaluated_on=plan.evaluated_on,
            images=done[0].trial.metrics.images if done and done[0].trial else 0,
            runs=len(jobs),
            done=len(done),
            kept=len(kept),
            failed=tuple(failed),
            ranking=ranking.rank(done),
            looks=look_counts.count(seen, runs) if runs is not None else None,
        )
        with disk.writable(folder, remedy=OTHER_FOLDER):
            disk.write(folder / SUMMARY_NAME, json_text.to_json(result), staging=work)
    return result


def _looks(plan: Plan, records: Sequence[RunRecord]) -> list[Look]:
    """Return the looks of runs at the test images; none if they are evaluated on others."""
    test_images, _ = plan.dataset.test
    found = (looks.of(replace(record, check=None)) for record in records)
    return [replace(each, images=test_images.sha256) for each in found if each]


@contextlib.contextmanager
def _locked(folder: Path) -> Generator[Path]:
    """Lock the folder of a sweep and yield a temporary folder in it."""
    with contextlib.ExitStack() as stack:
        with disk.writable(folder, remedy=OTHER_FOLDER):
            stack.enter_context(locks.locked(folder, timeout=_LOCK_TIMEOUT))
            work = stack.enter_context(temporary.folder(folder))
        yield work


def _finished(job: Job, folder: Path) -> RunRecord | None:
    """Return the record of a job if its model is there as it was saved."""
    path = folder / job.id / run_store.RECORD_NAME
    model = job.config.output
    try:
        record = run_store.read(path) if path.is_file() else None
        is_whole = (
            record is not None
            and record.id == job.id
            and record.trial is not None
            and record.trial.settings == dict(job.setting.values)
            and model.is_file()
            and disk.sha256(model) == record.model.sha256
            and not _has_changed_imports(record)
        )
    except (InputRefusedError, OSError):
        return None
    return record if is_whole else None


def _has_changed_imports(record: RunRecord) -> bool:
    """Whether a file that the run's network imported is another now.

    Unlike the network's own, these are not known before it runs, and so not in the job's ID. The
    run may have been on another machine, which alone has the files.
    """
    imports = record.network_source.imports if record.network_source else {}
    now = {path: up_to_date.digest(path) for path in imports}
    return any(now[path] not in (None, digest) for path, digest in imports.items())


def _save(result: Result, folder: Path, work: Path) -> None:
    """Write a run's model, then its record."""
    record = result.record
    with disk.writable(folder / record.id, remedy=OTHER_FOLDER):
        disk.write(Path(record.model.path), result.model, staging=work)
    run_store.save(record, folder, remedy=OTHER_FOLDER, staging=work)
