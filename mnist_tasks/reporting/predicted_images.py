"""A model's predictions for the test images, saved by its check."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mnist_tasks import stats
from mnist_tasks.checking import metrics, run_predictions
from mnist_tasks.data import datasets, store
from mnist_tasks.errors import InputRefusedError, UsageError, printable
from mnist_tasks.records import RunRecord
from mnist_tasks.reporting import run_summary
from mnist_tasks.verdict import DEFAULT_CONFIDENCE

EXAMPLES = 24
MOST_TYPICAL = 120  # images of all classes
MOST_TYPICAL_OF_A_CLASS = 10
FEWEST_TYPICAL_OF_A_CLASS = 3


@dataclass(frozen=True, kw_only=True)
class PredictedImage:
    """The prediction for one image; `confidence` is the probability of the predicted class."""

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
    low, high
        The range, which excludes `low`.
    confidence
        The mean over the bin.
    accuracy_low, accuracy_high
        The confidence interval of the accuracy.
    """

    low: float
    high: float
    images: int
    confidence: float
    accuracy: float
    accuracy_low: float
    accuracy_high: float


@dataclass(frozen=True, kw_only=True)
class ImagePredictions:
    """The predictions for labeled images.

    Attributes
    ----------
    images : (n, h, w) or (n, h, w, 3) uint8
    labels : (n,) uint8
    probabilities : (n, classes) float32 in [0, 1]
    interval_confidence
        Of the intervals of accuracies.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    probabilities: NDArray[np.float32]
    interval_confidence: float = DEFAULT_CONFIDENCE

    @cached_property
    def predicted(self) -> NDArray[np.intp]:
        """The predicted classes: (n,)."""
        predicted: NDArray[np.intp] = self.probabilities.argmax(axis=1)
        return predicted

    @cached_property
    def confidence(self) -> NDArray[np.float64]:
        """The probabilities of the predicted classes: (n,) float64 in [0, 1]."""
        confidence: NDArray[np.float64] = self.probabilities.max(axis=1).astype(np.float64)
        return confidence

    @cached_property
    def correct(self) -> NDArray[np.bool_]:
        """Whether each prediction is correct: (n,)."""
        return np.equal(self.predicted, self.labels)

    @cached_property
    def wrong(self) -> tuple[PredictedImage, ...]:
        """All wrong predictions, the most confident first."""
        wrong = np.flatnonzero(~self.correct)
        return self._chosen(wrong[np.argsort(-self.confidence[wrong], kind="stable")])

    @cached_property
    def least_certain_correct(self) -> tuple[PredictedImage, ...]:
        """The correct predictions with the lowest confidence, the least certain first."""
        correct = np.flatnonzero(self.correct)
        order = np.argsort(self.confidence[correct], kind="stable")
        return self._chosen(correct[order[:EXAMPLES]])

    @cached_property
    def typical_correct(self) -> tuple[PredictedImage, ...]:
        """Correct predictions of each class: those whose confidence is nearest to the median."""
        classes = self.probabilities.shape[1]
        most = min(MOST_TYPICAL // classes, MOST_TYPICAL_OF_A_CLASS)
        most = max(most, FEWEST_TYPICAL_OF_A_CLASS)
        chosen: list[PredictedImage] = []
        for label in range(classes):
            correct = np.flatnonzero(self.correct & (self.labels == label))
            order = np.argsort(self.confidence[correct], kind="stable")
            first = max(len(correct) - most, 0) // 2
            chosen += self._chosen(correct[order[first : first + most]])
        return tuple(chosen)

    @cached_property
    def calibration(self) -> tuple[Bin, ...]:
        """The confidence and the accuracy of each bin that has predictions."""
        places = metrics.calibration_bins(self.confidence)
        bins = []
        for place in np.unique(places):
            inside = places == place
            images, correct = int(inside.sum()), int(self.correct[inside].sum())
            low, high = stats.wilson_interval(correct, images, self.interval_confidence)
            bins.append(
                Bin(
                    low=float(place) / metrics.CALIBRATION_BINS,
                    high=float(place + 1) / metrics.CALIBRATION_BINS,
                    images=images,
                    confidence=float(self.confidence[inside].mean()),
                    accuracy=correct / images,
                    accuracy_low=low,
                    accuracy_high=high,
                )
            )
        return tuple(bins)

    @property
    def calibration_error(self) -> float:
        """The expected calibration error, in [0, 1]."""
        return metrics.calibration_error(self.probabilities, self.labels)

    def _chosen(self, indices: NDArray[np.intp]) -> tuple[PredictedImage, ...]:
        return tuple(
            PredictedImage(
                index=int(i),
                label=int(self.labels[i]),
                predicted=int(self.predicted[i]),
                confidence=float(self.confidence[i]),
                probability_of_label=float(self.probabilities[i, self.labels[i]]),
            )
            for i in indices
        )


def load(record: RunRecord, folder: Path, data_folder: Path | None) -> ImagePredictions:
    """Load the predictions of a run's check from the run's folder, and its data set's test images.

    Parameters
    ----------
    data_folder
        As in `store.folder_of`.

    Raises
    ------
    InputRefusedError
        A file is missing, or belongs to another check; or the data set is not known here.
    """
    info = run_summary.dataset(record)
    subject = f"data set {printable(info.name)}"
    try:
        dataset = datasets.find(info.name)
    except UsageError as error:
        raise InputRefusedError(
            subject,
            expected=error.expected,
            found="unknown here" if error.subject == "--dataset" else error.found,
            remedy=error.remedy,
        ) from error
    if dataset.info != info:
        raise InputRefusedError(
            subject,
            expected="the images and classes in the run's record",
            found="others under the same name",
        )
    test = store.load(store.folder_of(dataset, data_folder), "test", dataset)
    probabilities = run_predictions.load(record, folder, test.labels)
    return ImagePredictions(
        images=test.images,
        labels=test.labels,
        probabilities=probabilities,
        interval_confidence=run_summary.confidence(record),
    )
