"""The progress of a sweep: a live table of its settings in a terminal, a line per run elsewhere."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.progress import MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from mnist_tasks.errors import printable
from mnist_tasks.records import RunRecord
from mnist_tasks.reporting.terminal import tables
from mnist_tasks.reporting.terminal.progress import LiveProgress
from mnist_tasks.sweeping.events import Event, Finished, Started, WorkerLost
from mnist_tasks.sweeping.job import Failed
from mnist_tasks.sweeping.plan import Job

MAX_ROWS = 15
_NUMBERS = ("done", "running", "failed", "accuracy")


@dataclass
class _Setting:
    """The runs of a setting so far."""

    runs: int = 0
    running: set[str] = field(default_factory=set)
    accuracies: list[float] = field(default_factory=list)
    failed: int = 0


class SweepProgress(LiveProgress):
    """The number of runs that are running, done and failed, for each setting."""

    def __init__(self) -> None:
        figures = TextColumn("{task.fields[figures]}")
        super().__init__(MofNCompleteColumn(), figures, TimeRemainingColumn())
        self._settings: dict[str, _Setting] = {}
        self._runs = self._finished = 0

    def begin(self, jobs: Sequence[Job], finished: Sequence[RunRecord]) -> None:
        """Show the jobs, some of which may have finished before."""
        names = {job.id: job.setting.name for job in jobs}
        for name in names.values():
            self._settings.setdefault(name, _Setting()).runs += 1
        for record in finished:
            self._settings[names[record.id]].accuracies.append(_accuracy(record))
        self._runs, self._finished = len(jobs), len(finished)
        self._bar.above = self
        self._start("sweep", total=len(jobs))
        self._update()
        if finished:
            self.note(f"{len(finished):,} of {len(jobs):,} runs were already done")

    def advance(self, event: Event) -> None:
        """Show that a run started or finished, or lost its worker."""
        setting = self._settings[event.job.setting.name]
        run = f"{event.job.setting.name}, seed {event.job.config.seed}"
        if isinstance(event, Started):
            setting.running.add(event.job.id)
        else:
            setting.running.discard(event.job.id)
        if isinstance(event, WorkerLost):
            self.note(f"{run}: {event.reason}; retrying")
        elif isinstance(event, Finished):
            self._finished += 1
            count = f"{self._finished:,}/{self._runs:,}"
            if isinstance(event.outcome, Failed):
                setting.failed += 1
                self.note(f"{count}  {run} failed: {printable(event.outcome.failure.found)}")
            else:
                accuracy = _accuracy(event.outcome.record)
                setting.accuracies.append(accuracy)
                if not self._is_live:
                    seconds = sum(event.outcome.record.seconds.values())
                    self.note(f"{count}  {run}: {accuracy:.2%}, {seconds:.1f} s")
        self._update()

    def __rich__(self) -> Table:
        """Return the table of settings; if there are many, those with running runs come first."""
        ordered = sorted(self._settings.items(), key=lambda each: not each[1].running)
        rows = [
            (
                name,
                f"{len(setting.accuracies):,}/{setting.runs:,}",
                str(len(setting.running) or ""),
                str(setting.failed or ""),
                f"{statistics.fmean(setting.accuracies):.2%}" if setting.accuracies else "–",
            )
            for name, setting in ordered[:MAX_ROWS]
        ]
        if len(ordered) > MAX_ROWS:
            rows.append((f"and {len(ordered) - MAX_ROWS:,} more", "", "", "", ""))
        return tables.table(("setting", *_NUMBERS), rows, title="Sweep", right=_NUMBERS)

    def _update(self) -> None:
        running = sum(len(each.running) for each in self._settings.values())
        failed = sum(each.failed for each in self._settings.values())
        figures = f"{running} running" + (f", {failed} failed" if failed else "")
        if self._task is not None:
            self._bar.update(self._task, completed=self._finished, figures=figures)


def _accuracy(record: RunRecord) -> float:
    return record.trial.metrics.accuracy if record.trial else 0.0
