"""Two runs image by image: which the one broke and which it fixed, and whether that is chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mnist_tasks.reporting import text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mnist_tasks.checking.paired_test import PairedCounts
    from mnist_tasks.reporting.predicted_images import Answers

MOST_IMAGES = 24
SURE = 0.05  # below this, chance is no good explanation


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
    regressed, fixed
        Images that only the first, and only this run, got right; `regressed_by_digit` and
        `fixed_by_digit` count all of them by their true digit.
    """

    letter: str
    regressed: tuple[Change, ...]
    fixed: tuple[Change, ...]
    regressed_by_digit: tuple[int, ...]
    fixed_by_digit: tuple[int, ...]
    paired: PairedCounts

    @property
    def lost(self) -> int:
        """How many images only the first run classified correctly."""
        return self.paired.regressed

    @property
    def won(self) -> int:
        """How many images only this run classified correctly."""
        return self.paired.fixed

    @property
    def chance(self) -> float:
        """How likely two equally good models differ so much, either way: McNemar, exact."""
        return self.paired.p_value

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
        points = 100 * (self.won - self.lost) / self.paired.images
        return (
            f"{self.letter} mends {text.plural(self.won, 'image')} and breaks {self.lost:,}: "
            f"{points:+.2f} points, p = {self.chance:.2g}."
        )


def pair(letter: str, before: Answers, after: Answers) -> Pair:
    """Compare two runs image by image."""
    from mnist_tasks.checking import metrics

    regressed, fixed = before.right & ~after.right, ~before.right & after.right
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
        regressed=changes(regressed),
        fixed=changes(fixed),
        regressed_by_digit=counts(regressed),
        fixed_by_digit=counts(fixed),
        paired=metrics.paired_counts(after.probabilities, before.probabilities, labels),
    )
