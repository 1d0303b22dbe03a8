"""Runs side by side: what differs in their settings, and on which images they part."""

from __future__ import annotations

import string
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from mnist_tasks import statistics
from mnist_tasks.reporting import summary, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from mnist_tasks.records import RunRecord
    from mnist_tasks.reporting.view import View

MOST_IMAGES = 24
MOST_RUNS = len(string.ascii_uppercase)
SURE = 0.05  # below this, chance is no good explanation
ABSENT = "–"
HASH_DIGITS = 16


@dataclass(frozen=True, kw_only=True)
class Row:
    """One figure or setting, with its value in each run."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Change:
    """An image on which two runs part: what is true, and what each said."""

    index: int
    truth: int
    before: int
    after: int


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A run against the first one, image by image.

    Attributes
    ----------
    letter
        Of the run; the first one is A.
    broken, mended
        Images that only the first, and only this run, got right; `broken_by_digit` and
        `mended_by_digit` count all of them by their true digit.
    """

    letter: str
    broken: tuple[Change, ...]
    mended: tuple[Change, ...]
    broken_by_digit: tuple[int, ...]
    mended_by_digit: tuple[int, ...]
    images: int

    @property
    def lost(self) -> int:
        """How many images only the first run got right."""
        return sum(self.broken_by_digit)

    @property
    def won(self) -> int:
        """How many images only this run got right."""
        return sum(self.mended_by_digit)

    @property
    def chance(self) -> float:
        """How likely two equally good models differ so much, either way: McNemar, exact."""
        fewer, more = sorted((self.lost, self.won))
        return min(1.0, 2 * statistics.mcnemar(more, fewer))

    @property
    def words(self) -> str:
        """Who is better, and by how much."""
        return f"{self.outcome} {self.counts}"

    @property
    def outcome(self) -> str:
        """Who is better, where chance is no good explanation."""
        if self.chance >= SURE:
            return f"{self.letter} and A can't be told apart."
        return f"{self.letter} is {'better' if self.won > self.lost else 'worse'} than A."

    @property
    def counts(self) -> str:
        """By how much the two differ."""
        points = 100 * (self.won - self.lost) / self.images
        return (
            f"{self.letter} mends {words.plural(self.won, 'image')} and breaks {self.lost:,}: "
            f"{points:+.2f} points, p = {self.chance:.2g}."
        )


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two runs or more; each is held against the first."""

    views: tuple[View, ...]

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
        return tuple(
            _pair(letter, self.views[0], view)
            for letter, view in zip(self.letters[1:], self.views[1:], strict=True)
            if view.answers is not None and self.views[0].answers is not None
        )

    @property
    def headline(self) -> str:
        """What became of the first comparison, in a sentence."""
        return self.pairs[0].outcome if self.pairs else "Side by side."


def _pair(letter: str, first: View, other: View) -> Pair:
    assert first.answers is not None  # noqa: S101
    assert other.answers is not None  # noqa: S101
    before, after = first.answers, other.answers
    broken, mended = before.right & ~after.right, ~before.right & after.right
    labels, said_before, said_after = before.labels, before.said, after.said

    def changes(where: NDArray[np.bool_]) -> tuple[Change, ...]:
        return tuple(
            Change(
                index=int(i),
                truth=int(labels[i]),
                before=int(said_before[i]),
                after=int(said_after[i]),
            )
            for i in where.nonzero()[0][:MOST_IMAGES]
        )

    def counts(where: NDArray[np.bool_]) -> tuple[int, ...]:
        return tuple(int((labels[where] == digit).sum()) for digit in range(10))

    return Pair(
        letter=letter,
        broken=changes(broken),
        mended=changes(mended),
        broken_by_digit=counts(broken),
        mended_by_digit=counts(mended),
        images=len(labels),
    )


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
        "test accuracy": words.percent(metrics.accuracy) if metrics else ABSENT,
        "95% interval": words.between(summary.interval(metrics)) if metrics else ABSENT,
        "mistakes": f"{metrics.images - metrics.correct:,}" if metrics else ABSENT,
        "test loss": f"{metrics.loss:.4f}" if metrics else ABSENT,
        "parameters": f"{record.model.parameters:,}",
        "operations": words.count(summary.operations(record)),
        "seconds": f"{summary.total_seconds(record):.1f}",
        "images/s": f"{record.epochs[-1].images_per_second:,.0f}",
    }


def _origin(record: RunRecord) -> dict[str, str]:
    settings, machine, _ = words.origin(record)
    data = {f"data: {name}": digest[:HASH_DIGITS] for name, digest in record.data.items()}
    return {**settings.rows, **machine.rows, **data}
