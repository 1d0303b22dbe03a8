"""The whole check: a model file looked at, asked for its predictions and held to the contract."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from mnist_tasks import records
from mnist_tasks.checking import contract, evaluate, sandbox
from mnist_tasks.records import Check, ModelFile

if TYPE_CHECKING:
    from pathlib import Path

    from mnist_tasks.checking.contract import Contract
    from mnist_tasks.data.store import Digits

TEST = "test"


def check(path: Path, digits: Digits, terms: Contract) -> Check:
    """Check one model file.

    Parameters
    ----------
    digits
        The test images and labels.

    Raises
    ------
    InputRefusedError
        The file is missing, corrupt or unsafe.
    EnvironmentLacksError
        TensorFlow is missing, or the model ran out of its time or memory.
    """
    begun = time.perf_counter()
    inspection = sandbox.inspect(path, image_sets={TEST: digits.images})
    probabilities = inspection.probabilities.get(TEST)
    measured = None if probabilities is None else evaluate.metrics(probabilities, digits.labels)
    verdict = contract.judge(
        terms,
        contract.Facts(
            parameters=inspection.parameters,
            input_shapes=inspection.input_shapes,
            output_shapes=inspection.output_shapes,
            metrics=measured,
            unpredicted=inspection.unpredicted,
        ),
    )
    return Check(
        model=ModelFile(
            path=str(path),
            bytes=inspection.bytes,
            sha256=inspection.sha256,
            parameters=inspection.parameters,
        ),
        layers=inspection.layers,
        trainable_parameters=inspection.trainable_parameters,
        non_trainable_parameters=inspection.non_trainable_parameters,
        verdict=verdict,
        metrics=measured,
        seconds=round(time.perf_counter() - begun, 3),
        created=records.now(),
    )
