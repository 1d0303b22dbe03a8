"""From predictions to metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mnist_tasks.records import Metrics

if TYPE_CHECKING:
    from numpy.typing import NDArray

DIGITS = 10
SMALLEST_PROBABILITY = (
    1e-7  # as Keras clips, so that one sure mistake doesn't make the loss infinite
)


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
        confusion=tuple(tuple(int(count) for count in row) for row in confusion), loss=float(loss)
    )
