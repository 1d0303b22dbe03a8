"""Two runs compared image by image: which images regressed, and which were fixed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mnist_tasks import stats
from mnist_tasks.reporting.formatting import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from mnist_tasks.checking.paired_test import PairedCounts
    from mnist_tasks.reporting.predicted_images import ImagePredictions

MOST_IMAGES = 24
SIGNIFICANCE = 0.05


@dataclass(frozen=True, kw_only=True)
class ChangedImage:
    """An image that only one of two runs classified correctly, with both predictions."""

    index: int
    label: int
    before: int
    after: int


@dataclass(frozen=True, kw_only=True)
class ClassChanges:
    """How many images of one class regressed, and how many were fixed."""

    name: str
    regressed: int
    fixed: int


@dataclass(frozen=True, kw_only=True)
class PairedRuns:
    """A run compared with run A, image by image.

    Attributes
    ----------
    counts
        The images that only A (`regressed`), and only this run (`fixed`), classified correctly.
    regressed, fixed
        The first of these images.
    by_class
        Their counts by label.
    """

    letter: str
    counts: PairedCounts
    regressed: tuple[ChangedImage, ...]
    fixed: tuple[ChangedImage, ...]
    by_class: tuple[ClassChanges, ...]

    @property
    def points(self) -> float:
        """The difference in accuracy, in percentage points."""
        return 100 * (self.counts.fixed - self.counts.regressed) / self.counts.images

    @property
    def outcome(self) -> str:
        """The better run, if the difference is significant."""
        if self.counts.p_value >= SIGNIFICANCE:
            return f"{self.letter} and A do not differ significantly."
        return f"{self.letter} is {'better' if self.points > 0 else 'worse'} than A."

    @property
    def difference(self) -> str:
        """The size of the difference, with its p-value."""
        return (
            f"{self.letter} fixes {plural(self.counts.fixed, 'image')} and regresses on "
            f"{self.counts.regressed:,}: {self.points:+.2f} points, "
            f"{stats.p_value(self.counts.p_value)}."
        )


def pair(
    letter: str, before: ImagePredictions, after: ImagePredictions, classes: Sequence[str]
) -> PairedRuns:
    """Compare two runs on a data set of these classes image by image."""
    from mnist_tasks.checking import metrics

    labels = before.labels
    regressed, fixed = before.correct & ~after.correct, ~before.correct & after.correct

    def first(where: NDArray[np.bool_]) -> tuple[ChangedImage, ...]:
        places = where.nonzero()[0][:MOST_IMAGES]
        columns = (places, labels[places], before.predicted[places], after.predicted[places])
        return tuple(
            ChangedImage(index=index, label=label, before=old, after=new)
            for index, label, old, new in zip(*(each.tolist() for each in columns), strict=True)
        )

    def of_class(label: int, where: NDArray[np.bool_]) -> int:
        return int((labels[where] == label).sum())

    return PairedRuns(
        letter=letter,
        counts=metrics.paired_counts(after.probabilities, before.probabilities, labels),
        regressed=first(regressed),
        fixed=first(fixed),
        by_class=tuple(
            ClassChanges(
                name=name, regressed=of_class(label, regressed), fixed=of_class(label, fixed)
            )
            for label, name in enumerate(classes)
        ),
    )
