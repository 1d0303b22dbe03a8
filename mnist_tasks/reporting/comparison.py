"""Runs side by side: what differs in their settings, and on which images they part."""

from __future__ import annotations

import string
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from mnist_tasks.errors import UsageError
from mnist_tasks.reporting import paired_runs, summary, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mnist_tasks.records import RunRecord
    from mnist_tasks.reporting.paired_runs import Pair
    from mnist_tasks.reporting.run_view import View

MOST_RUNS = len(string.ascii_uppercase)
ABSENT = "–"
HASH_DIGITS = 16


@dataclass(frozen=True, kw_only=True)
class Row:
    """One figure or setting, with its value in each run."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two runs or more; each is held against the first.

    Raises
    ------
    UsageError
        There are more runs than letters to name them by.
    """

    views: tuple[View, ...]

    def __post_init__(self) -> None:
        if len(self.views) > MOST_RUNS:
            raise UsageError(
                "report", expected=f"at most {MOST_RUNS} runs", found=f"{len(self.views):,}"
            )

    @property
    def records(self) -> tuple[RunRecord, ...]:
        """The records of the runs."""
        return tuple(view.record for view in self.views)

    @property
    def letters(self) -> str:
        """A letter for each run."""
        return string.ascii_uppercase[: len(self.views)]

    @property
    def figures(self) -> tuple[Row, ...]:
        """How the runs did, figure by figure."""
        return _rows([_figures(record) for record in self.records])

    @property
    def differences(self) -> tuple[Row, ...]:
        """The settings, machines and versions that are not the same in all runs."""
        rows = _rows([_origin(record) for record in self.records])
        return tuple(row for row in rows if len(set(row.values)) > 1)

    @property
    def unpaired(self) -> tuple[str, ...]:
        """Why runs can't be compared image by image, a line for each that can't."""
        return tuple(
            f"{letter}: {view.unanswered}"
            for letter, view in zip(self.letters, self.views, strict=True)
            if view.answers is None
        )

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """Each run against the first, where both have their answers."""
        first = self.views[0].answers
        return tuple(
            paired_runs.pair(letter, first, view.answers)
            for letter, view in zip(self.letters[1:], self.views[1:], strict=True)
            if view.answers is not None and first is not None
        )

    @property
    def headline(self) -> str:
        """What became of the first comparison, in a sentence."""
        return self.pairs[0].outcome if self.pairs else "Side by side."


def _rows(columns: Sequence[dict[str, str]]) -> tuple[Row, ...]:
    """Turn a column for each run into a row for each name, in the order of their first showing."""
    names = dict.fromkeys(name for column in columns for name in column)
    return tuple(
        Row(name=name, values=tuple(column.get(name, ABSENT) for column in columns))
        for name in names
    )


def _figures(record: RunRecord) -> dict[str, str]:
    metrics = summary.metrics(record)
    return {
        "contract": summary.standing(record),
        "test accuracy": text.percent(metrics.accuracy) if metrics else ABSENT,
        "95% interval": text.between(summary.interval(metrics)) if metrics else ABSENT,
        "mistakes": f"{metrics.images - metrics.correct:,}" if metrics else ABSENT,
        "test loss": f"{metrics.loss:.4f}" if metrics else ABSENT,
        "parameters": f"{record.model.parameters:,}",
        "operations": text.count(summary.operations(record)),
        "seconds": f"{summary.total_seconds(record):.1f}",
        "images/s": f"{record.epochs[-1].images_per_second:,.0f}",
    }


def _origin(record: RunRecord) -> dict[str, str]:
    settings, machine, _ = text.origin(record)
    data = {f"data: {name}": digest[:HASH_DIGITS] for name, digest in record.data.items()}
    return {**settings.rows, **machine.rows, **data}
