"""Evaluate a model on the validation images after each epoch of its training."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import tensorflow as tf

from mnist_tasks.dataset_info import array_shape

if TYPE_CHECKING:
    import keras

    from mnist_tasks.data.store import LabeledImages
    from mnist_tasks.training.trainer import Losses

BATCH_SIZE = 1000


class Validated(NamedTuple):
    """The results on the validation images.

    Attributes
    ----------
    loss
        Mean over the images, in nats; ``None`` if it is not finite.
    accuracy
        In [0, 1].
    """

    loss: float | None
    accuracy: float

    def as_text(self, epoch: int, epochs: int) -> str:
        """Return a line about the results after an epoch."""
        loss = "not finite" if self.loss is None else f"{self.loss:.4f}"
        return f"epoch {epoch}/{epochs}  validation loss {loss}  accuracy {self.accuracy:.2%}"


class Validator:
    """Evaluates a model on the validation images, with its weights at the time of the call.

    Parameters
    ----------
    model
        From images (n, h, w, channels) float32 in [0, 1] to one value for each class.
    losses
        As in `Trainer`, for the outputs of this model.
    """

    def __init__(self, model: keras.Model, data: LabeledImages, losses: Losses) -> None:
        self._data = data
        shape = model.input_shape[1:]

        def evaluate(images: Any, labels: Any) -> tuple[Any, Any]:
            pixels = tf.reshape(tf.cast(images, tf.float32) / 255.0, (-1, *shape))
            outputs = model(pixels, training=False)
            predicted = tf.argmax(outputs, axis=1, output_type=tf.int32)
            correct = tf.reduce_sum(tf.cast(predicted == labels, tf.int32))
            return tf.reduce_sum(losses(labels, [outputs])), correct

        images = tf.TensorSpec((None, *array_shape(shape)), tf.uint8)
        labels = tf.TensorSpec((None,), tf.int32)
        self._evaluate = tf.function(evaluate, input_signature=(images, labels), autograph=False)

    def __call__(self) -> Validated:
        """Evaluate the model."""
        loss, correct = 0.0, 0
        for images, labels in batches_in_order(self._data):
            more_loss, more_correct = self._evaluate(images, labels)
            loss, correct = loss + float(more_loss), correct + int(more_correct)
        return validated(loss / len(self._data.labels), correct / len(self._data.labels))


def validated(loss: float, accuracy: float) -> Validated:
    """Return results whose loss may not be finite."""
    return Validated(loss if math.isfinite(loss) else None, accuracy)


def batches_in_order(data: LabeledImages) -> Iterator[tuple[Any, Any]]:
    """Yield all images (n, h, w) or (n, h, w, 3) uint8 and labels (n,) int32, in order."""
    for start in range(0, len(data.labels), BATCH_SIZE):
        part = slice(start, start + BATCH_SIZE)
        yield np.asarray(data.images[part]), data.labels[part].astype(np.int32)


@contextmanager
def averaged(
    variables: list[keras.Variable], optimizer: keras.optimizers.Optimizer
) -> Iterator[None]:
    """Set the variables to their averages within the block, if their optimizer keeps them.

    They are what a training that ended now would save.
    """
    before = [each.numpy() for each in variables]
    optimizer.finalize_variable_values(variables)
    try:
        yield
    finally:
        for variable, value in zip(variables, before, strict=True):
            variable.assign(value)
