"""Predictions for pictures, and the errors of others, without a model."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mnist_tasks.checking.contract import Contract
from mnist_tasks.dataset_info import MNIST, DatasetInfo
from mnist_tasks.errors import InputRefusedError
from mnist_tasks.predicting import dataset_image, pictures
from mnist_tasks.predicting.predictor import PredictedPicture, Prediction, Predictor
from tests.predicting.drawings import FIVE, SEVEN, ZERO, Digit, draw


def predictor(info: DatasetInfo = MNIST) -> Predictor:
    return Predictor(model=Path("model_latest.h5"), info=info, contract=Contract())


def found(info: DatasetInfo = MNIST) -> list[PredictedPicture]:
    """Return three predictions, and three errors, one of which has no picture."""
    digits = ((SEVEN, 0.99999), (FIVE, 0.51), (ZERO, 0.9))
    predicted = [_predicted(digit, share, info) for digit, share in digits]
    two = np.dstack([draw(FIVE, ZERO, size=(120, 220))] * 3)
    errors = [
        _refused("two.png", "several digits, or what is too wide for one", two),
        _refused("a/long path/" + "x" * 90 + ".png", "a blank picture", two[:30]),
        _refused("torn <b>.png", "a damaged picture (OSError: image file is truncated)", None),
    ]
    return [*predicted, *errors]


def _predicted(digit: Digit, share: float, info: DatasetInfo) -> PredictedPicture:
    pixels = np.dstack([draw(digit, size=(120, 90), at=(10, 30))] * 3)
    first, second = info.classes[-1], info.classes[0]
    prediction = Prediction(
        predicted=first,
        probability=share,
        runner_up=second,
        runner_up_probability=1 - share,
        probabilities=(share, 1 - share),
        image=dataset_image.prepare(pixels, info, raw=False, subject="photo"),
    )
    return PredictedPicture(
        path=Path(f"photos/{share}.jpg"),
        prediction=prediction,
        thumbnail=pictures.thumbnail(pixels, 320),
    )


def _refused(name: str, problem: str, pixels: np.ndarray | None) -> PredictedPicture:
    return PredictedPicture(
        path=Path(name),
        error=InputRefusedError(name, found=problem, remedy="Crop the picture to one digit."),
        thumbnail=None if pixels is None else pictures.thumbnail(pixels, 320),
    )
