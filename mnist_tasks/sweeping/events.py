"""What an engine tells of the runs that it was given, while it works."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mnist_tasks.errors import EnvironmentProblemError, Failure
from mnist_tasks.sweeping.job import Failed

if TYPE_CHECKING:
    from mnist_tasks.sweeping.job import Result
    from mnist_tasks.sweeping.plan import Job

ATTEMPTS = 3  # a run is begun so often before it is given up


@dataclass(frozen=True, kw_only=True)
class Began:
    """A run was given to a worker; `process` is known where the worker is ours."""

    job: Job
    process: int | None = None


@dataclass(frozen=True, kw_only=True)
class Lost:
    """A worker died at a run, which will be tried again."""

    job: Job
    reason: str


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A run is done, or has failed for good."""

    job: Job
    outcome: Result | Failed


Event = Began | Lost | Ended


@dataclass(frozen=True, kw_only=True)
class Task:
    """A job, and which attempt at it comes next."""

    job: Job
    attempt: int = 1

    def lost(self, reason: str) -> tuple[Event, Task | None]:
        """Return what to tell of a worker that died at it, and the next attempt, if there is one.

        Parameters
        ----------
        reason
            What became of the worker.
        """
        if self.attempt < ATTEMPTS:
            return Lost(job=self.job, reason=reason), Task(job=self.job, attempt=self.attempt + 1)
        return Ended(job=self.job, outcome=given_up(self.job, f"{reason}, {ATTEMPTS} times")), None


def given_up(job: Job, reason: str) -> Failed:
    """Say that a run was not done, and why."""
    return Failed(
        failure=Failure(
            title=EnvironmentProblemError.title,
            subject=job.id,
            expected="a worker that lives until the run is done",
            found=reason,
            remedy="Look for a lack of memory, and begin the same sweep again: what is done stays.",
        ),
        exit_code=EnvironmentProblemError.exit_code,
    )
