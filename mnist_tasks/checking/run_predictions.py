"""The predictions of a checked run, which `mnist-tasks check` saved beside its record."""

from __future__ import annotations

import errno
import hashlib
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mnist_tasks import disk, predictions, run_models
from mnist_tasks.check_records import Metrics
from mnist_tasks.checking import metrics
from mnist_tasks.errors import InputRefusedError
from mnist_tasks.records import RunRecord

LARGEST_MODEL = 100_000_000  # bytes, as the largest that a contract allows


def load(record: RunRecord, folder: Path, labels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the predictions in a run's folder for the test images.

    Returns
    -------
    probabilities : (n, classes) float32 in [0, 1]

    Raises
    ------
    InputRefusedError
        The run was not checked, or its predictions are missing; or the record, the predictions and
        the model file in the folder don't belong together.
    """
    check = record.check
    classes = len((check or record).dataset.classes)
    sha256 = check.predictions if check else None
    probabilities = predictions.load(folder, classes=classes, sha256=sha256)
    if check is None or check.metrics is None:
        found = "the record of a run without a check"
    elif len(probabilities) != len(labels):
        found = f"predictions for {len(probabilities):,} images"
    elif metrics.confusion(probabilities, labels) != check.metrics.confusion:
        found = "predictions that don't match the record's confusion matrix"
    elif not _agree(metrics.compute(probabilities, labels), check.metrics):
        found = "predictions that don't match the record's loss or calibration error"
    elif _has_another_model(record, folder):
        found = f"another model file in its folder than the record's, {record.model.sha256}"
    else:
        return probabilities
    raise InputRefusedError(
        str(folder / predictions.FILE_NAME),
        expected=f"a checked run's predictions for {len(labels):,} test images",
        found=found,
        remedy="Run `mnist-tasks check` on the run's model.",
    )


def _agree(computed: Metrics, recorded: Metrics) -> bool:
    """Whether the metrics are the same to within float error: machines round differently."""
    pairs = [(computed.loss, recorded.loss)]
    if computed.calibration_error is not None and recorded.calibration_error is not None:
        pairs.append((computed.calibration_error, recorded.calibration_error))
    return all(math.isclose(*pair, rel_tol=1e-4, abs_tol=1e-6) for pair in pairs)


def _has_another_model(record: RunRecord, folder: Path) -> bool:
    """Whether the model file in the run's folder is not the record's."""
    try:
        content = disk.read_regular(run_models.kept(record, folder), limit=LARGEST_MODEL)
    except OSError as error:
        return error.errno not in (errno.ENOENT, errno.ENAMETOOLONG)
    return hashlib.sha256(content).hexdigest() != record.model.sha256
