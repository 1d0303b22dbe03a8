"""The predictions of a checked run, which `mnist-tasks check` saved beside its record."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mnist_tasks import predictions
from mnist_tasks.checking import metrics
from mnist_tasks.errors import InputRefusedError
from mnist_tasks.records import RunRecord


def load(record: RunRecord, folder: Path, labels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the predictions in a run's folder for the test images: (n, 10) float32 in [0, 1].

    Raises
    ------
    InputRefusedError
        The run was not checked, or its predictions are missing or don't match its record.
    """
    probabilities = predictions.load(folder)
    checked = record.check.metrics if record.check else None
    if checked is None:
        found = "the record of a run without a check"
    elif len(probabilities) != len(labels):
        found = f"predictions for {len(probabilities):,} images"
    elif metrics.confusion(probabilities, labels) != checked.confusion:
        found = "predictions that don't match the record's confusion matrix"
    else:
        return probabilities
    raise InputRefusedError(
        str(folder / predictions.FILE_NAME),
        expected=f"a checked run's predictions for {len(labels):,} test images",
        found=found,
        remedy="Run `mnist-tasks check` on the run's model.",
    )
