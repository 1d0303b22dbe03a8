"""The predictions of a baseline: a model file, or the record of a run."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mnist_tasks import predictions, run_models, run_store
from mnist_tasks.checking import run_predictions
from mnist_tasks.checking.clauses import TEST_IMAGES
from mnist_tasks.checking.contract import Baseline
from mnist_tasks.data.store import LabeledImages
from mnist_tasks.errors import InputRefusedError, MnistTasksError, printable
from mnist_tasks.vetting import image_input, sandbox
from mnist_tasks.vetting.image_input import InputFormat
from mnist_tasks.vetting.limits import Limits


def predict(
    baseline: Baseline,
    data: LabeledImages,
    limits: Limits,
    input_format: InputFormat = image_input.DEFAULT,
) -> NDArray[np.float32]:
    """Return the baseline's predictions for the test images: (n, classes) float32 in [0, 1]."""
    path = Path(baseline.path)
    try:
        if baseline.record:
            return _of_record(path, data, limits, input_format)
        return _of_model(path, data, limits, input_format)
    except MnistTasksError as error:
        raise error.about(f"the baseline {error.subject}") from error


def _of_model(
    path: Path,
    data: LabeledImages,
    limits: Limits,
    input_format: InputFormat,
    *,
    sha256: str | None = None,
) -> NDArray[np.float32]:
    """Return the predictions of a model file, which must have a hash, if one is given."""
    sets = {TEST_IMAGES: data.images}
    inspection = sandbox.inspect(
        path,
        image_sets=sets,
        classes=len(data.info.classes),
        input_format=input_format,
        limits=limits,
    )
    if sha256 not in (None, inspection.sha256):
        raise InputRefusedError(
            str(path),
            expected=f"the model of its record, SHA-256 {sha256}",
            found=f"another model file, {inspection.sha256}",
        )
    if (reason := inspection.no_predictions_reason) is not None:
        raise InputRefusedError(str(path), expected="a model that makes predictions", found=reason)
    return inspection.probabilities[TEST_IMAGES]


def _of_record(
    path: Path, data: LabeledImages, limits: Limits, input_format: InputFormat
) -> NDArray[np.float32]:
    folder = path.parent if path.name == run_store.RECORD_NAME else path
    record = run_store.read(folder / run_store.RECORD_NAME)
    dataset = (record.check or record).dataset
    if dataset != data.info:
        same = "" if dataset.name != data.info.name else " with other images or classes"
        raise InputRefusedError(
            str(path),
            expected=f"the record of a run on {data.info.title}",
            found=f"one on {printable(dataset.title)}{same}",
        )
    model = run_models.kept(record, folder)
    if not os.path.lexists(folder / predictions.FILE_NAME) and os.path.lexists(model):
        # The run was not checked, or only its model was kept.
        return _of_model(model, data, limits, input_format, sha256=record.model.sha256)
    return run_predictions.load(record, folder, data.labels)
