"""The outcome of a sweep."""

from __future__ import annotations

from dataclasses import dataclass

from mnist_tasks.errors import Failure
from mnist_tasks.look_counts import Looks
from mnist_tasks.sweeping.ranking import Rank

SCHEMA = 2
SUMMARY_NAME = "sweep.json"  # in its folder


@dataclass(frozen=True, kw_only=True)
class FailedRun:
    """A run that failed, and the exit code of its error."""

    id: str
    setting: str
    seed: int
    failure: Failure
    exit_code: int


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """The outcome of a sweep, also saved in its folder as ``sweep.json``.

    Attributes
    ----------
    images
        Number of images that the models are evaluated on.
    runs
        Number of runs in the plan.
    kept
        Number of runs that had finished before.
    looks
        How many models were compared on the test images; ``None`` of validation images.
    """

    folder: str
    evaluated_on: str
    images: int
    runs: int
    done: int
    kept: int
    failed: tuple[FailedRun, ...]
    ranking: tuple[Rank, ...]
    looks: Looks | None = None
    schema: int = SCHEMA

    @property
    def exit_code(self) -> int:
        """The highest of the runs that failed; 0 if none did."""
        return max((each.exit_code for each in self.failed), default=0)
