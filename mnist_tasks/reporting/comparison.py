"""Runs side by side: their results, their different settings, and their images."""

from __future__ import annotations

import string
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mnist_tasks import check_store, run_models, run_store
from mnist_tasks.dataset_info import DatasetInfo
from mnist_tasks.errors import InputRefusedError, UsageError
from mnist_tasks.foreground import command_line
from mnist_tasks.records import RunRecord
from mnist_tasks.reporting import formatting, paired_runs, run_summary, run_text
from mnist_tasks.reporting.formatting import ABSENT
from mnist_tasks.reporting.paired_runs import PairedRuns
from mnist_tasks.reporting.run_view import RunView
from mnist_tasks.run_store import StoredRuns

MOST_RUNS = len(string.ascii_uppercase)
HASH_DIGITS = 16


@dataclass(frozen=True, kw_only=True)
class Row:
    """One result or setting, with its value in each run."""

    name: str
    values: tuple[str, ...]


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
        return _rows([_results(record) for record in self.records])

    @property
    def differences(self) -> tuple[Row, ...]:
        """The settings, machines and versions that are not the same in all runs."""
        rows = _rows([_provenance(record) for record in self.records])
        return tuple(row for row in rows if len(set(row.values)) > 1)

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
    def headline(self) -> str:
        """The outcome of the first pair as a sentence."""
        return self.pairs[0].outcome if self.pairs else "Runs side by side."


def view(names: Sequence[str], runs: Path, data_folder: Path | None = None) -> RunView | Comparison:
    """Return the data of a report: of one run, or of several side by side.

    Parameters
    ----------
    names
        Names as in `run_store.find`, or paths of checked model files; the latest run if empty.
    data_folder
        As in `store.folder_of`.

    Raises
    ------
    InputRefusedError
        A run does not exist.
    UsageError
        There are too many runs to compare.
    """
    stored = run_store.list_runs(runs)
    if not names and not stored.runs and (check := check_store.newest(runs)):
        raise InputRefusedError(
            str(runs),
            expected="the record of a run",
            found="only checks of models that no run made",
            remedy=f"Run `mnist-tasks report {command_line([check.model.path])}`.",
        )
    names = names or [run_store.LATEST]
    found = [_find(stored, runs, name) for name in names]
    views = tuple(
        RunView(
            record=record,
            folder=folder,
            stored_runs=stored,
            data_folder=data_folder,
            note=_note(record, folder) if name == run_store.LATEST else "",
        )
        for name, (record, folder) in zip(names, found, strict=True)
    )
    return views[0] if len(views) == 1 else Comparison(views=views)


def passed(shown: RunView | Comparison) -> bool:
    """Whether each of the runs was checked and passed its contract."""
    records = [shown.record] if isinstance(shown, RunView) else shown.records
    return all(run_summary.status(record) == "passed" for record in records)


def _find(stored: StoredRuns, runs: Path, name: str) -> tuple[RunRecord, Path]:
    with suppress(OSError, ValueError):  # the name may be too long for a path
        if Path(name).is_file() and Path(name).suffix != Path(run_store.RECORD_NAME).suffix:
            return check_store.find(stored, runs, Path(name))
    return run_store.find(stored, runs, name)


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


def _rows(columns: Sequence[dict[str, str]]) -> tuple[Row, ...]:
    """Turn a column for each run into a row for each name, in order of first appearance."""
    names = dict.fromkeys(name for column in columns for name in column)
    return tuple(
        Row(name=name, values=tuple(column.get(name, ABSENT) for column in columns))
        for name in names
    )


def _results(record: RunRecord) -> dict[str, str]:
    metrics = run_summary.metrics(record)
    interval = formatting.percent_range(run_summary.interval(metrics)) if metrics else ABSENT
    return {
        "contract": run_summary.status(record),
        "test accuracy": formatting.percent(metrics.accuracy) if metrics else ABSENT,
        "95% interval": interval,
        "wrong": f"{run_summary.wrong(metrics):,}" if metrics else ABSENT,
        "test loss": f"{metrics.loss:.4f}" if metrics else ABSENT,
        "parameters": f"{record.model.parameters:,}",
        "operations": formatting.count(run_summary.operations(record)),
        "seconds": f"{run_summary.total_seconds(record):.1f}",
        "images/s": formatting.speed(
            record.epochs[-1].images_per_second if record.epochs else None
        ),
    }


def _provenance(record: RunRecord) -> dict[str, str]:
    *tables, _ = run_text.provenance(record)
    data = {f"data: {name}": digest[:HASH_DIGITS] for name, digest in record.data.items()}
    check = {"checked against": run_text.contract(record.check.contract)} if record.check else {}
    known = {name: value for table in tables for name, value in table.rows.items()}
    return {**known, **data, **check}
