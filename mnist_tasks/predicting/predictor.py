"""Predict the classes of pictures with an untrusted model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mnist_tasks.checking.contract import Contract
from mnist_tasks.dataset_info import DatasetInfo
from mnist_tasks.errors import InputRefusedError, MnistTasksError
from mnist_tasks.predicting import dataset_image, pictures
from mnist_tasks.vetting import sandbox

Images = NDArray[np.uint8]
SET = "pictures"
THUMBNAIL_SIDE = 320  # pixels


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """A model's prediction for a picture.

    Attributes
    ----------
    predicted, runner_up
        The most probable class, and the next one: their names.
    probability, runner_up_probability
        Theirs, in [0, 1].
    probabilities
        That of each class, in the order of the labels.
    image : (h, w) or (h, w, 3) uint8
        What the model saw: (28, 28) for MNIST.
    """

    predicted: str
    probability: float
    runner_up: str
    runner_up_probability: float
    probabilities: tuple[float, ...]
    image: Images = field(compare=False, repr=False)


@dataclass(frozen=True, kw_only=True)
class PredictedPicture:
    """A file, and the prediction for the picture in it, or the error that there is instead.

    Attributes
    ----------
    thumbnail
        The picture as a small JPEG, if it could be read and thumbnails are wanted.
    """

    path: Path
    prediction: Prediction | None = None
    error: MnistTasksError | None = None
    thumbnail: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Predictor:
    """A model, and how it gets pictures.

    Attributes
    ----------
    info
        The data set that the model classifies.
    contract
        Says which input it takes: its shape, and the range of pixels.
    raw
        Whether pictures are images of the data set already, which are not prepared.
    require_isolation
        As in `vetting.limits.Limits`.
    """

    model: Path
    info: DatasetInfo
    contract: Contract
    raw: bool = False
    require_isolation: bool = False

    def predict(self, pixels: Images, subject: str) -> Prediction:
        """Return the prediction for a picture: (h, w) or (h, w, 3) uint8.

        Raises
        ------
        InputRefusedError
            As `dataset_image.prepare` and `run` do.
        """
        (found,) = self.run([self._prepared(pixels, subject)])
        return found

    def predict_files(
        self, paths: Iterable[Path], *, thumbnails: bool = False
    ) -> list[PredictedPicture]:
        """Return the prediction, or the error, for the picture in each file, in their order.

        Raises
        ------
        MnistTasksError
            The model can't be used, as in `run`.
        """
        found: list[PredictedPicture] = []
        images: dict[int, Images] = {}  # by the place of each picture
        for place, path in enumerate(paths):
            small = error = None
            try:
                pixels = pictures.read(path)
                small = pictures.thumbnail(pixels, THUMBNAIL_SIDE) if thumbnails else None
                images[place] = self._prepared(pixels, pictures.name(path))
            except InputRefusedError as refused:
                error = refused
            found.append(PredictedPicture(path=path, error=error, thumbnail=small))
        predictions = self.run(list(images.values())) if images else []
        for place, prediction in zip(images, predictions, strict=True):
            found[place] = replace(found[place], prediction=prediction)
        return found

    def run(self, images: Sequence[Images]) -> list[Prediction]:
        """Vet the model, run it in the sandbox, and return the prediction for each image.

        Parameters
        ----------
        images
            One at least, of the data set's shape.

        Raises
        ------
        InputRefusedError
            The model's file is missing, corrupt, unsupported or unsafe; or it doesn't take images
            or predict classes of the data set.
        EnvironmentProblemError
            TensorFlow is missing, or the model exceeded its time or memory.
        """
        inspection = sandbox.inspect(
            self.model,
            image_sets={SET: np.stack(images)},
            classes=len(self.info.classes),
            input_format=self.contract.input_format(self.info),
            limits=self.contract.limits(self.info, require_isolation=self.require_isolation),
        )
        if (reason := inspection.no_predictions_reason) is not None:
            raise InputRefusedError(
                str(self.model),
                expected=f"a model that classifies images of {self.info.title}",
                found=reason,
                remedy="Describe its input in the contract, or name its data set with --dataset.",
                reason="model-unsupported",
            )
        found = inspection.probabilities[SET]
        return [_prediction(*each, self.info) for each in zip(found, images, strict=True)]

    def _prepared(self, pixels: Images, subject: str) -> Images:
        return dataset_image.prepare(pixels, self.info, raw=self.raw, subject=subject)


def _prediction(row: NDArray[np.float32], image: Images, info: DatasetInfo) -> Prediction:
    first, second = np.argsort(-row, kind="stable")[:2].tolist()
    return Prediction(
        predicted=info.classes[first],
        probability=float(row[first]),
        runner_up=info.classes[second],
        runner_up_probability=float(row[second]),
        probabilities=tuple(map(float, row)),
        image=image,
    )
