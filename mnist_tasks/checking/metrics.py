"""From predictions to metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mnist_tasks.checking.paired_test import Paired
from mnist_tasks.records import Metrics

if TYPE_CHECKING:
    from numpy.typing import NDArray

DIGITS = 10
SMALLEST_PROBABILITY = (
    1e-7  # as Keras clips, so that one sure mistake doesn't make the loss infinite
)
CALIBRATION_BINS = 15  # as in the paper


def metrics(probabilities: NDArray[np.float32], labels: NDArray[np.uint8]) -> Metrics:
    """Count what was predicted for what was true, and average the loss.

    Parameters
    ----------
    probabilities : (n, 10) float32 in [0, 1]
    labels : (n,) uint8 in 0-9
    """
    predicted = probabilities.argmax(axis=1)
    confusion = np.bincount(
        labels.astype(np.int64) * DIGITS + predicted, minlength=DIGITS**2
    ).reshape(DIGITS, DIGITS)
    of_truth = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    loss = -np.log(of_truth.clip(SMALLEST_PROBABILITY, 1)).mean()
    return Metrics(
        confusion=tuple(tuple(int(count) for count in row) for row in confusion),
        loss=float(loss),
        calibration_error=calibration_error(probabilities, labels),
    )


def calibration_error(probabilities: NDArray[np.float32], labels: NDArray[np.uint8]) -> float:
    """Return the expected calibration error, in [0, 1].

    C. Guo, G. Pleiss, Y. Sun, K. Weinberger, "On calibration of modern neural networks", ICML 2017:
    images are put into 15 bins of equal width, each open at its lower end, by the probability of
    the predicted digit; the error is the mean gap between a bin's accuracy and its mean
    probability, weighted by its number of images.
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == labels
    edges = np.linspace(0, 1, CALIBRATION_BINS + 1)[1:-1]
    gaps = np.bincount(np.searchsorted(edges, confidence), weights=right - confidence)
    return float(np.abs(gaps).sum() / len(labels))


def paired(
    probabilities: NDArray[np.float32],
    baseline: NDArray[np.float32],
    labels: NDArray[np.uint8],
) -> Paired:
    """Compare two models, image by image.

    Parameters
    ----------
    probabilities, baseline : (n, 10) float32 in [0, 1]
    labels : (n,) uint8 in 0-9
    """
    right = probabilities.argmax(axis=1) == labels
    before = baseline.argmax(axis=1) == labels
    return Paired(
        images=len(labels),
        correct=int(right.sum()),
        lost=int((before & ~right).sum()),
        won=int((right & ~before).sum()),
    )
