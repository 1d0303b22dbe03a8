"""How a sweep goes on: a live table of its settings, or a line for each run where none can be."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    SpinnerColumn,
    TextColumn,
    TimeRemainingColumn,
)

from mnist_tasks.errors import printable
from mnist_tasks.records import RunRecord
from mnist_tasks.reporting.terminal import tables
from mnist_tasks.reporting.terminal.progress import LiveProgress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from mnist_tasks.errors import Failure
    from mnist_tasks.sweeping.plan import Job

MOST_ROWS = 15


@dataclass
class _Standing:
    """How far a setting is."""

    runs: int = 0
    running: set[str] = field(default_factory=set)
    accuracies: list[float] = field(default_factory=list)
    failed: int = 0


class SweepProgress(LiveProgress):
    """How many runs are running, done and failed, setting by setting."""

    def __init__(self) -> None:
        super().__init__(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[figures]}"),
            TimeRemainingColumn(),
        )
        self._settings: dict[str, _Standing] = {}
        self._runs = self._ended = 0

    def begin(self, jobs: Sequence[Job], done: Sequence[RunRecord]) -> None:
        """Say which runs there are, and which were done before."""
        names = {job.id: job.setting.name for job in jobs}
        for name in names.values():
            self._settings.setdefault(name, _Standing()).runs += 1
        for record in done:
            self._settings[names[record.id]].accuracies.append(_accuracy(record))
        self._runs, self._ended = len(jobs), len(done)
        self._bar.above = self
        self._start("sweep", total=len(jobs))
        self._update()
        if done:
            self.note(f"{len(done):,} of {len(jobs):,} runs were done before")

    def began(self, job: Job) -> None:
        """Say that a run was given to a worker."""
        self._settings[job.setting.name].running.add(job.id)
        self._update()

    def lost(self, job: Job, reason: str) -> None:
        """Say that a worker died at a run, which will be tried again."""
        self._settings[job.setting.name].running.discard(job.id)
        self.note(f"{_run(job)}: {reason}; it is tried again")
        self._update()

    def ended(self, job: Job, outcome: RunRecord | Failure) -> None:
        """Say that a run is done, or has failed for good."""
        standing = self._settings[job.setting.name]
        standing.running.discard(job.id)
        self._ended += 1
        so_far = f"{self._ended:,}/{self._runs:,}"
        if isinstance(outcome, RunRecord):
            standing.accuracies.append(_accuracy(outcome))
            if not self._console.is_terminal:
                seconds = sum(outcome.seconds.values())
                self.note(f"{so_far}  {_run(job)}: {_accuracy(outcome):.2%}, {seconds:.1f} s")
        else:
            standing.failed += 1
            self.note(f"{so_far}  {_run(job)} failed: {printable(outcome.found)}")
        self._update()

    def __rich__(self) -> Table:
        """Draw the settings: those that are under way first, where they are many."""
        table = tables.table(
            "setting", "done", "running", "failed", "accuracy", title="Sweep", right=_FIGURES
        )
        shown = sorted(self._settings.items(), key=lambda each: not each[1].running)
        for name, standing in shown[:MOST_ROWS]:
            mean = f"{statistics.fmean(standing.accuracies):.2%}" if standing.accuracies else "–"
            tables.add_row(
                table,
                name,
                f"{len(standing.accuracies):,}/{standing.runs:,}",
                str(len(standing.running) or ""),
                str(standing.failed or ""),
                mean,
            )
        if len(shown) > MOST_ROWS:
            tables.add_row(table, f"and {len(shown) - MOST_ROWS:,} more", "", "", "", "")
        return table

    def _update(self) -> None:
        running = sum(len(each.running) for each in self._settings.values())
        failed = sum(each.failed for each in self._settings.values())
        figures = f"{running} running" + (f", {failed} failed" if failed else "")
        if self._task is not None:
            self._bar.update(self._task, completed=self._ended, figures=figures)


_FIGURES = {"done", "running", "failed", "accuracy"}


def _run(job: Job) -> str:
    return f"{job.setting.name}, seed {job.config.seed}"


def _accuracy(record: RunRecord) -> float:
    return record.trial.metrics.accuracy if record.trial else 0.0
