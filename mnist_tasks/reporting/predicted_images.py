"""A model's predictions for the test images, as its check left them on disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mnist_tasks import stats
from mnist_tasks.checking import metrics, run_predictions
from mnist_tasks.data import store
from mnist_tasks.reporting.run_summary import CONFIDENCE

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from mnist_tasks.records import RunRecord


@dataclass(frozen=True, kw_only=True)
class ImagePredictions:
    """The predictions for labeled images.

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
    def predicted(self) -> NDArray[np.intp]:
        """The predicted digits: (n,) in 0-9."""
        predicted: NDArray[np.intp] = self.probabilities.argmax(axis=1)
        return predicted

    @property
    def confidence(self) -> NDArray[np.float32]:
        """The probabilities of the predicted digits: (n,) float32 in [0, 1]."""
        confidence: NDArray[np.float32] = self.probabilities.max(axis=1)
        return confidence

    @property
    def correct(self) -> NDArray[np.bool_]:
        """Whether each prediction is correct: (n,)."""
        correct: NDArray[np.bool_] = self.predicted == self.labels
        return correct


@dataclass(frozen=True, kw_only=True)
class PredictedImage:
    """The prediction for one image; `confidence` is the probability of the predicted digit."""

    index: int
    label: int
    predicted: int
    confidence: float
    probability_of_label: float


@dataclass(frozen=True, kw_only=True)
class Bin:
    """The predictions whose confidence lies in one range.

    Attributes
    ----------
    confidence
        The mean over the bin.
    interval
        The 95% confidence interval of the accuracy.
    """

    low: float
    high: float
    images: int
    confidence: float
    accuracy: float
    interval: tuple[float, float]


def load(record: RunRecord, folder: Path, data_folder: Path) -> ImagePredictions:
    """Load the predictions of a run's check, and the test images.

    Parameters
    ----------
    folder
        The run's folder.

    Raises
    ------
    InputRefusedError
        A file is missing, or is not of this check.
    """
    digits = store.load(data_folder, "test")
    probabilities = run_predictions.load(record, folder, digits.labels)
    return ImagePredictions(images=digits.images, labels=digits.labels, probabilities=probabilities)


def confident_errors(found: ImagePredictions, count: int) -> tuple[PredictedImage, ...]:
    """Return the wrong predictions with the highest confidence, the highest first."""
    wrong = np.flatnonzero(~found.correct)
    order = np.argsort(-found.confidence[wrong], kind="stable")
    return _pick(found, wrong[order[:count]])


def least_certain_correct(found: ImagePredictions, count: int) -> tuple[PredictedImage, ...]:
    """Return the correct predictions with the lowest confidence, the lowest first."""
    correct = np.flatnonzero(found.correct)
    order = np.argsort(found.confidence[correct], kind="stable")
    return _pick(found, correct[order[:count]])


def calibration(found: ImagePredictions) -> tuple[Bin, ...]:
    """Return the confidence and the accuracy of each bin that has predictions.

    A bin includes its upper end and excludes its lower one.
    """
    confidence, correct = found.confidence.astype(np.float64), found.correct
    places = metrics.calibration_bins(confidence)
    bins = []
    for place in np.unique(places):
        inside = places == place
        images, right = int(inside.sum()), int(correct[inside].sum())
        bins.append(
            Bin(
                low=float(place) / metrics.CALIBRATION_BINS,
                high=float(place + 1) / metrics.CALIBRATION_BINS,
                images=images,
                confidence=float(confidence[inside].mean()),
                accuracy=right / images,
                interval=stats.wilson_interval(right, images, CONFIDENCE),
            )
        )
    return tuple(bins)


def _pick(found: ImagePredictions, indices: NDArray[np.intp]) -> tuple[PredictedImage, ...]:
    predicted, confidence = found.predicted, found.confidence
    return tuple(
        PredictedImage(
            index=int(i),
            label=int(found.labels[i]),
            predicted=int(predicted[i]),
            confidence=float(confidence[i]),
            probability_of_label=float(found.probabilities[i, found.labels[i]]),
        )
        for i in indices
    )
