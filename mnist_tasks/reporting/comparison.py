"""Runs side by side: their results, their different settings, and their images."""

from __future__ import annotations

import string
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from mnist_tasks import check_store, look_counts, looks, run_models, run_store
from mnist_tasks.dataset_info import DatasetInfo
from mnist_tasks.errors import InputRefusedError, UsageError
from mnist_tasks.foreground import command_line
from mnist_tasks.look_counts import Looks
from mnist_tasks.records import RunRecord
from mnist_tasks.reporting import paired_runs, run_summary, side_by_side
from mnist_tasks.reporting.figures import run_curves
from mnist_tasks.reporting.figures.run_curves import Curves
from mnist_tasks.reporting.paired_runs import PairedRuns
from mnist_tasks.reporting.run_view import RunView
from mnist_tasks.reporting.side_by_side import Row
from mnist_tasks.reporting.sweep_view import SweepView
from mnist_tasks.run_store import StoredRuns
from mnist_tasks.sweeping import stored_sweep
from mnist_tasks.sweeping.stored_sweep import StoredSweep

MOST_SETTINGS = 3  # in the name of a run beside its curve
MOST_RUNS = len(string.ascii_uppercase)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two runs or more, each compared with the first.

    Raises
    ------
    UsageError
        There are more runs than letters to name them.
    """

    views: tuple[RunView, ...]

    def __post_init__(self) -> None:
        if len(self.views) > MOST_RUNS:
            expected, found = f"at most {MOST_RUNS} runs", f"{len(self.views):,}"
            raise UsageError("report", expected=expected, found=found)

    @property
    def records(self) -> tuple[RunRecord, ...]:
        """The records of the runs."""
        return tuple(view.record for view in self.views)

    @property
    def letters(self) -> str:
        """A letter for each run."""
        return string.ascii_uppercase[: len(self.views)]

    @property
    def results(self) -> tuple[Row, ...]:
        """The results of the runs."""
        return side_by_side.rows([side_by_side.results(record) for record in self.records])

    @property
    def differences(self) -> tuple[Row, ...]:
        """The settings, machines and versions that are not the same in all runs."""
        rows = side_by_side.rows([side_by_side.provenance(record) for record in self.records])
        return tuple(row for row in rows if len(set(row.values)) > 1)

    @cached_property
    def curves(self) -> tuple[Curves, ...]:
        """The training curves of the runs."""
        return tuple(
            run_curves.of_run(record, letter, name)
            for letter, record, name in zip(self.letters, self.records, self._names, strict=True)
        )

    @property
    def _names(self) -> list[str]:
        """What tells the runs apart: their recipes and the first settings that differ."""
        keys = {key.replace("_", " ") for record in self.records for key in record.recipe}
        rows = [row for row in self.differences if row.name in keys | {"seed"}][:MOST_SETTINGS]
        return [
            ", ".join(
                [str(record.recipe["name"]), *(f"{row.name} {row.values[place]}" for row in rows)]
            )
            for place, record in enumerate(self.records)
        ]

    @property
    def by_epoch(self) -> tuple[str, tuple[Row, ...]]:
        """The accuracy of each epoch, and what it is of; without rows if no run has several."""
        return side_by_side.by_epoch(self.records)

    @property
    def unpaired(self) -> tuple[str, ...]:
        """The reason for each run that can't be compared image by image."""
        return tuple(
            f"{letter}: {view.no_predictions or self._another_data_set(view)}"
            for letter, view in zip(self.letters, self.views, strict=True)
            if view.predictions is None or self._another_data_set(view)
        )

    @property
    def dataset(self) -> DatasetInfo:
        """The data set of the first run."""
        return run_summary.dataset(self.records[0])

    def _another_data_set(self, view: RunView) -> str:
        other = run_summary.dataset(view.record)
        return "" if other == self.dataset else f"its data set is {other.title}"

    @cached_property
    def pairs(self) -> tuple[PairedRuns, ...]:
        """Each run compared with the first, if both have predictions."""
        first = self.views[0].predictions
        return tuple(
            paired_runs.pair(letter, first, view.predictions, self.dataset.classes)
            for letter, view in zip(self.letters[1:], self.views[1:], strict=True)
            if view.predictions is not None
            and first is not None
            and not self._another_data_set(view)
        )

    @property
    def looks(self) -> Looks | None:
        """How many models were compared on the test images of the first run."""
        return self.views[0].looks

    @property
    def headline(self) -> str:
        """The outcome of the first pair as a sentence."""
        return self.pairs[0].outcome if self.pairs else "Runs side by side."


Shown = RunView | Comparison | SweepView


def view(names: Sequence[str], runs: Path, data_folder: Path | None = None) -> Shown:
    """Return the data of a report: of one run, of several side by side, or of a sweep.

    Parameters
    ----------
    names
        Names as in `run_store.find`, paths of checked model files, or the folder of a sweep; the
        latest run if empty.
    data_folder
        As in `store.folder_of`.

    Raises
    ------
    InputRefusedError
        A run does not exist, or a folder has the runs of several sweeps.
    UsageError
        There are too many runs to compare, or a sweep beside something else.
    """
    if sweeps := [swept for name in names if (swept := _sweep(name))]:
        if len(names) > 1:
            expected = "runs to compare, or the folder of a single sweep"
            raise UsageError("report", expected=expected, found=f"a sweep, {sweeps[0].folder}")
        seen = [looks.of(replace(record, check=None)) for record in sweeps[0].records]
        return SweepView(sweep=sweeps[0], looks=look_counts.count(list(filter(None, seen)), runs))
    stored = run_store.list_runs(runs)
    if not names and not stored.runs and (check := check_store.newest(runs)):
        raise InputRefusedError(
            str(runs),
            expected="the record of a run",
            found="only checks of models that no run made",
            remedy=f"Run `mnist-tasks report {command_line([check.model.path])}`.",
        )
    names = names or [run_store.LATEST]
    found = [check_store.find_named(stored, runs, name) for name in names]
    views = tuple(
        RunView(
            record=record,
            folder=folder,
            stored_runs=stored,
            data_folder=data_folder,
            note=_note(record, folder) if name == run_store.LATEST else "",
            looks=_looks(record, runs, stored) if record is found[0][0] else None,
        )
        for name, (record, folder) in zip(names, found, strict=True)
    )
    return views[0] if len(views) == 1 else Comparison(views=views)


def passed(shown: Shown) -> bool:
    """Whether each of the runs was checked and passed its contract; of a sweep, all are done."""
    match shown:
        case RunView():
            records: Sequence[RunRecord] = [shown.record]
        case Comparison():
            records = shown.records
        case SweepView(sweep=sweep):
            if sweep.skipped or sweep.missing != 0:  # the failed ones are missing
                return False
            records = sweep.records
    return all(run_summary.status(record) == "passed" for record in records)


def _looks(record: RunRecord, runs: Path, stored: StoredRuns) -> Looks | None:
    look = looks.of(record)
    return look_counts.count([look], runs, stored) if look else None


def _sweep(name: str) -> StoredSweep | None:
    """Return the sweep of a folder, if the name is that of one."""
    with suppress(OSError, ValueError):  # the name may be too long for a path
        if name and Path(name).is_dir():  # an empty path would be the current folder
            return stored_sweep.find(Path(name))
    return None


def _note(record: RunRecord, folder: Path) -> str:
    """Return what to know of the latest run if the file that it wrote is now another model."""
    path = record.model.path
    if not run_models.replaced(record):
        return ""
    quoted = command_line([path])
    return (
        f"{path} is no longer the model of this run, which is {run_models.kept(record, folder)}. "
        f"`mnist-tasks check {quoted}` and `mnist-tasks report {quoted}` report on the new one."
    )
