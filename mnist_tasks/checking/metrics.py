"""Metrics of predictions: confusion matrix, loss, calibration error, paired counts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from mnist_tasks.check_records import Metrics
from mnist_tasks.checking.paired_test import PairedCounts
from mnist_tasks.vetting import image_input

MIN_PROBABILITY = 1e-7  # as Keras clips: one confident error must not make the loss infinite
CALIBRATION_BINS = 15  # as in the paper


def compute(probabilities: NDArray[np.float32], labels: NDArray[np.uint8]) -> Metrics:
    """Return the metrics of probabilities, (n, classes) in [0, 1], for images with these labels."""
    of_label = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return Metrics(
        confusion=confusion(probabilities, labels),
        loss=float(-np.log(of_label.clip(MIN_PROBABILITY, 1)).mean()),
        calibration_error=calibration_error(probabilities, labels),
    )


def of_samples(
    probabilities: Mapping[str, NDArray[np.float32]], labels: NDArray[np.uint8]
) -> dict[str, Metrics]:
    """Return the metrics of predictions for a sample of the images, by the range of pixels."""
    sample = labels[:: image_input.sample_step(len(labels))]
    return {name: compute(each, sample) for name, each in probabilities.items()}


def confusion(
    probabilities: NDArray[np.float32], labels: NDArray[np.uint8]
) -> tuple[tuple[int, ...], ...]:
    """Count images by label (a row for each) and predicted class (a column for each)."""
    classes = probabilities.shape[1]
    cells = labels.astype(np.intp) * classes + probabilities.argmax(axis=1)
    counts = np.bincount(cells, minlength=classes**2).reshape(classes, classes)
    return tuple(tuple(row) for row in counts.tolist())


def calibration_error(probabilities: NDArray[np.float32], labels: NDArray[np.uint8]) -> float:
    """Return the expected calibration error, in [0, 1].

    C. Guo, G. Pleiss, Y. Sun, K. Weinberger, "On calibration of modern neural networks", ICML 2017:
    the mean gap between a bin's accuracy and its mean confidence, weighted by its number of images.
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    correct = probabilities.argmax(axis=1) == labels
    gaps = np.bincount(calibration_bins(confidence), weights=correct - confidence)
    return float(np.abs(gaps).sum() / len(labels))


def calibration_bins(confidence: NDArray[np.floating]) -> NDArray[np.intp]:
    """Return the bin of each confidence: one of 15 of equal width, open at the lower end."""
    edges = np.linspace(0, 1, CALIBRATION_BINS + 1)[1:-1]
    return np.searchsorted(edges, confidence)


def paired_counts(
    probabilities: NDArray[np.float32],
    baseline: NDArray[np.float32],
    labels: NDArray[np.uint8],
) -> PairedCounts:
    """Compare a model with a baseline, image by image; arrays are as in `compute`."""
    return compare(is_correct(probabilities, labels), is_correct(baseline, labels))


def is_correct(probabilities: NDArray[np.float32], labels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return which images were classified correctly, (n,) bool; arrays are as in `compute`."""
    correct: NDArray[np.bool_] = probabilities.argmax(axis=1) == labels
    return correct


def compare(correct: NDArray[np.bool_], before: NDArray[np.bool_]) -> PairedCounts:
    """Compare the images that a model and a baseline classified correctly, each (n,) bool."""
    return PairedCounts(
        images=len(correct),
        correct=int(correct.sum()),
        regressed=int((before & ~correct).sum()),
        fixed=int((correct & ~before).sum()),
    )
