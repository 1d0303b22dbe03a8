"""The accuracy of a repeated training against the recorded one, on the same images.

A different rounding, in another thread count or processor, is enough to make two trainings part:
after an epoch they are as different as two seeds. Their models then make wrong predictions for
about as many images, and not for the same ones.

Whether the two counts differ by more than chance is decided by the exact conditional test of
J. Przyborowski and H. Wilenski, "Homogeneity of results in testing samples from Poisson series",
Biometrika 31 (1940) 313-323: if both models are equally good, each wrong prediction is as likely
one of the first as of the second. It takes images as independent draws, which two models on the
same images are not quite: their counts differ less. So it errs on the side of chance, which leaves
room for what the counts of a recipe vary between seeds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mnist_tasks import stats
from mnist_tasks.check_records import Metrics
from mnist_tasks.data.store import LabeledImages
from mnist_tasks.records import RunRecord
from mnist_tasks.verdict import DEFAULT_CONFIDENCE

Predict = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


@dataclass(frozen=True, kw_only=True)
class Accuracies:
    """Correct predictions of the recorded model and of the repeated one.

    Attributes
    ----------
    measured_on
        ``test``, ``validation`` or ``training`` images.
    p_value
        How likely chance makes at least this difference if both models are equally good, in [0, 1].
    """

    measured_on: str
    images: int
    recorded: int
    found: int
    p_value: float

    @property
    def within_chance(self) -> bool:
        """Whether chance explains the difference, at 99%."""
        return self.p_value >= 1 - DEFAULT_CONFIDENCE


def of(measured_on: str, images: int, recorded: int, found: int) -> Accuracies:
    """Compare two numbers of correct predictions."""
    # The rarer outcome: wrong predictions, unless the models are right less than half the time.
    fewer, more = min(
        sorted((images - recorded, images - found)), sorted((recorded, found)), key=sum
    )
    return Accuracies(
        measured_on=measured_on,
        images=images,
        recorded=recorded,
        found=found,
        p_value=min(1.0, 2 * stats.mcnemar(more, fewer)),
    )


def comparable(
    record: RunRecord,
    found: RunRecord,
    *,
    training: LabeledImages,
    test: Callable[[], LabeledImages],
    predict: Predict,
) -> Accuracies | None:
    """Compare on images that the record has an accuracy on: if there are any, the test images.

    Parameters
    ----------
    found
        The record of the repetition.
    training, test
        All training images, and what returns the test images.
    predict
        Returns the probabilities, (n, classes) in [0, 1], of the repetition's model.
    """
    check, trial = record.check, record.trial
    if check and check.metrics and check.dataset == record.dataset:
        there = test()
        if (
            check.test_images in (None, next(iter(there.sha256.values()), None))
            and (measured := _on("test", check.metrics, there, predict)) is not None
        ):
            return measured
    if trial and trial.evaluated_on == "test":
        if (measured := _on("test", trial.metrics, test(), predict)) is not None:
            return measured
    elif trial and trial.metrics.images < len(training.labels):
        return _on("validation", trial.metrics, training.last(trial.metrics.images), predict)
    before, now = record.epochs[-1], found.epochs[-1]
    if before.validation_accuracy is not None and now.validation_accuracy is not None:
        pair = (before.validation_accuracy, now.validation_accuracy)
        return _of_shares("validation", record.validation, *pair)
    if before.accuracy is not None and now.accuracy is not None:
        images = record.limit or len(training.labels) - record.validation
        return _of_shares("training", images, before.accuracy, now.accuracy)
    return None


def _on(
    measured_on: str, recorded: Metrics, images: LabeledImages, predict: Predict
) -> Accuracies | None:
    if recorded.images != len(images.labels):
        return None
    predicted = predict(images.images).argmax(axis=1)
    correct = int((predicted == images.labels).sum())
    return of(measured_on, recorded.images, recorded.correct, correct)


def _of_shares(measured_on: str, images: int, recorded: float, found: float) -> Accuracies:
    return of(measured_on, images, round(recorded * images), round(found * images))
