"""What an executor reports about the runs of a sweep."""

from __future__ import annotations

from dataclasses import dataclass

from mnist_tasks.errors import EnvironmentProblemError, Failure
from mnist_tasks.sweeping.job import Failed, Result
from mnist_tasks.sweeping.plan import Job

MAX_ATTEMPTS = 3


@dataclass(frozen=True, kw_only=True)
class Started:
    """A worker started a run; `process` is its process ID if it runs on this machine."""

    job: Job
    process: int | None = None


@dataclass(frozen=True, kw_only=True)
class WorkerLost:
    """A worker died during a run, which will be tried again."""

    job: Job
    reason: str


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A run succeeded, or failed for good."""

    job: Job
    outcome: Result | Failed


Event = Started | WorkerLost | Finished


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """An attempt at a job, counted from 1."""

    job: Job
    number: int = 1

    def worker_lost(self, reason: str) -> tuple[Event, Attempt | None]:
        """Return the event to report after its worker died, and the next attempt, if any."""
        if self.number < MAX_ATTEMPTS:
            event = WorkerLost(job=self.job, reason=reason)
            return event, Attempt(job=self.job, number=self.number + 1)
        return not_run(self.job, f"{reason}, {MAX_ATTEMPTS} times"), None


def not_run(job: Job, reason: str) -> Finished:
    """Return the event for a job that no worker could finish."""
    failure = Failure(
        title=EnvironmentProblemError.title,
        subject=job.id,
        expected="a worker that survives the run",
        found=reason,
        remedy="Check that there is enough memory, then rerun the sweep: finished runs are kept.",
    )
    return Finished(
        job=job, outcome=Failed(failure=failure, exit_code=EnvironmentProblemError.exit_code)
    )
