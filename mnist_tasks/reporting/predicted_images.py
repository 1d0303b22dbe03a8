"""What a model said of each test image, beside what is true, where the check left it on disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mnist_tasks import stats
from mnist_tasks.checking import metrics, run_predictions
from mnist_tasks.data import store
from mnist_tasks.reporting import summary

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from mnist_tasks.records import RunRecord


@dataclass(frozen=True, kw_only=True)
class Answers:
    """A model's answers.

    Attributes
    ----------
    images : (n, 28, 28) uint8
    labels : (n,) uint8 in 0-9
    probabilities : (n, 10) float32 in [0, 1]
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    probabilities: NDArray[np.float32]

    @property
    def said(self) -> NDArray[np.intp]:
        """The digit that the model gave each image: (n,) in 0-9."""
        said: NDArray[np.intp] = self.probabilities.argmax(axis=1)
        return said

    @property
    def sureness(self) -> NDArray[np.float32]:
        """The probability that the model gave its answer: (n,) float32 in [0, 1]."""
        sureness: NDArray[np.float32] = self.probabilities.max(axis=1)
        return sureness

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether each answer is true: (n,)."""
        right: NDArray[np.bool_] = self.said == self.labels
        return right


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One image and what was said of it; `sureness` and `of_truth` are probabilities."""

    index: int
    truth: int
    said: int
    sureness: float
    of_truth: float


@dataclass(frozen=True, kw_only=True)
class Bin:
    """The answers whose sureness lies in one range: how sure they were, how often they were true.

    Attributes
    ----------
    interval
        Of the accuracy, at 95% confidence.
    """

    low: float
    high: float
    images: int
    sureness: float
    accuracy: float
    interval: tuple[float, float]


def load(record: RunRecord, folder: Path, data: Path) -> Answers:
    """Read the answers of a run's check, and the test images that they are about.

    Parameters
    ----------
    folder, data
        Of the run, and of the data files.

    Raises
    ------
    InputRefusedError
        A file is missing, or is not of this check.
    """
    digits = store.load(data, "test")
    probabilities = run_predictions.load(record, folder, digits.labels)
    return Answers(images=digits.images, labels=digits.labels, probabilities=probabilities)


def pick(answers: Answers, indices: NDArray[np.intp]) -> tuple[Answer, ...]:
    """Return the answers at these places."""
    said, sureness = answers.said, answers.sureness
    return tuple(
        Answer(
            index=int(i),
            truth=int(answers.labels[i]),
            said=int(said[i]),
            sureness=float(sureness[i]),
            of_truth=float(answers.probabilities[i, answers.labels[i]]),
        )
        for i in indices
    )


def confident_mistakes(answers: Answers, count: int) -> tuple[Answer, ...]:
    """Return the mistakes of which the model was the surest, the surest first."""
    wrong = np.flatnonzero(~answers.right)
    order = np.argsort(-answers.sureness[wrong], kind="stable")
    return pick(answers, wrong[order[:count]])


def unsure_hits(answers: Answers, count: int) -> tuple[Answer, ...]:
    """Return the true answers of which the model was the least sure, the least sure first."""
    right = np.flatnonzero(answers.right)
    order = np.argsort(answers.sureness[right], kind="stable")
    return pick(answers, right[order[:count]])


def calibration(answers: Answers) -> tuple[Bin, ...]:
    """Compare sureness and accuracy in ranges of sureness; those without answers are left out.

    A range takes in its upper end, and not its lower one.
    """
    sureness, right = answers.sureness.astype(np.float64), answers.right
    places = metrics.calibration_bins(sureness)
    bins = []
    for place in np.unique(places):
        inside = places == place
        images, hits = int(inside.sum()), int(right[inside].sum())
        bins.append(
            Bin(
                low=float(place) / metrics.CALIBRATION_BINS,
                high=float(place + 1) / metrics.CALIBRATION_BINS,
                images=images,
                sureness=float(sureness[inside].mean()),
                accuracy=hits / images,
                interval=stats.wilson(hits, images, summary.CONFIDENCE),
            )
        )
    return tuple(bins)
