"""Train the user's model with Keras's own ``fit``, which calls her callbacks."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from mnist_tasks.dataset_info import array_shape
from mnist_tasks.errors import InputRefusedError, MnistTasksError
from mnist_tasks.records import Epoch, Point
from mnist_tasks.training import loop
from mnist_tasks.training.loop import EpochProgress
from mnist_tasks.training.network_file import REASON, NetworkFile
from mnist_tasks.training.user_code import failed
from mnist_tasks.training.user_model import UserModel

Batch = tuple[Any, Any]  # images (batch, h, w) or (batch, h, w, 3) uint8, labels (batch,) int32


def fit(
    user: UserModel,
    file: NetworkFile,
    epoch: Callable[[], Iterator[Batch]],
    *,
    epochs: int,
    sizes: list[int],
    progress: EpochProgress,
) -> tuple[tuple[Epoch, ...], tuple[Point, ...]]:
    """Train a model in place.

    Parameters
    ----------
    epoch
        Returns the batches of the next epoch.
    sizes
        The size of each batch of an epoch.

    Raises
    ------
    InputRefusedError
        The user's code fails.
    UsageError
        The loss is not finite.
    """
    image_shape = user.model.inputs[0].shape[1:]
    classes = user.model.outputs[0].shape[-1]
    errors: list[Exception] = []  # of the thread that makes the batches

    def batches() -> Iterator[Batch]:
        try:
            for _ in range(epochs):
                yield from epoch()
        except Exception as error:  # and not that the generator is closed
            errors.append(error)
            raise

    def prepared(images: Any, labels: Any) -> tuple[Any, Any]:
        pixels = tf.reshape(tf.cast(images, tf.float32) / 255.0, (-1, *image_shape))
        return pixels, tf.one_hot(labels, classes) if user.loss.one_hot else labels

    shape = array_shape(image_shape)
    signature = (tf.TensorSpec((None, *shape), tf.uint8), tf.TensorSpec((None,), tf.int32))
    dataset = tf.data.Dataset.from_generator(batches, output_signature=signature).map(prepared)
    follower = _Follower(sizes, progress)
    progress.begin(epochs, sum(sizes))
    try:
        with _accuracy_measured(user.model) as accuracy:
            follower.accuracy = accuracy
            user.model.fit(
                dataset.prefetch(2),
                epochs=epochs,
                steps_per_epoch=len(sizes),
                shuffle=False,  # the batches are
                verbose=0,
                callbacks=[follower, *user.callbacks],
            )
    except Exception as error:
        if errors:
            raise errors[0] from error
        if isinstance(error, MnistTasksError):
            raise
        raise failed(error, file) from error
    return tuple(follower.epochs), loop.thinned(follower.curve)


class _Follower(keras.callbacks.Callback):  # type: ignore[misc]
    """Reports the progress of ``fit``, and collects its epochs and its curve."""

    def __init__(self, sizes: list[int], progress: EpochProgress) -> None:
        super().__init__()
        self.accuracy: keras.metrics.Metric | None = None
        self.epochs: list[Epoch] = []
        self.curve: list[Point] = []
        self._seen = list(itertools.accumulate(sizes))
        self._every = math.ceil(len(sizes) / loop.POINTS_PER_EPOCH)
        self._progress = progress
        self._step = 0
        self._start = 0.0

    def on_epoch_begin(self, _epoch: int, _logs: Any = None) -> None:
        """Start the clock, and the mean accuracy."""
        self._start = time.perf_counter()
        if self.accuracy is not None:
            self.accuracy.reset_state()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Add a point to the curve, at most `loop.POINTS_PER_EPOCH` times."""
        self._step += 1
        last = batch + 1 == len(self._seen)
        if not last and (batch + 1) % self._every:
            return
        loss, accuracy = self._means(logs, self._seen[batch])
        loop.require_finite(loss, self._step, float(np.asarray(self._rate())))
        self.curve.append(Point(step=self._step, loss=loss, accuracy=accuracy))
        self._progress.advance(len(self.epochs) + 1, self._seen[batch], loss, accuracy)

    def on_epoch_end(self, _epoch: int, logs: Any = None) -> None:
        """Record the epoch."""
        seconds = time.perf_counter() - self._start
        loss, accuracy = self._means(logs, self._seen[-1])
        self.epochs.append(
            Epoch(
                epoch=len(self.epochs) + 1,
                loss=loss,
                accuracy=accuracy,
                seconds=seconds,
                images_per_second=self._seen[-1] / seconds,
            )
        )

    def _rate(self) -> Any:
        return self.model.optimizer.learning_rate

    def _means(self, logs: Any, images: int) -> tuple[float, float]:
        """Return the mean loss and accuracy of the epoch so far, after some images."""
        found = dict(logs or {})
        if missing := {"loss", "accuracy"} - found.keys():
            raise InputRefusedError(
                f"the training step of {type(self.model).__name__}",
                expected="a dictionary with loss and accuracy",
                found=f"no {' and no '.join(sorted(missing))}",
                remedy="Return self.compute_metrics(...) and the loss.",
                reason=REASON,
            )
        accuracy = float(found["accuracy"])
        if not 0 <= accuracy <= 1:
            raise InputRefusedError(
                f"the accuracy of {type(self.model).__name__}",
                expected="a share of the images, from 0 to 1",
                found=f"{accuracy:g}",
                reason=REASON,
            )
        # Keras computes the accuracy in float32; it is a fraction of the images.
        return float(found["loss"]), round(accuracy * images) / images


@contextmanager
def _accuracy_measured(model: keras.Model) -> Iterator[keras.metrics.Metric]:
    """Add an accuracy to the metrics of a model's training, unless it has one of that name."""
    accuracy = keras.metrics.Mean(name="mnist_tasks_accuracy")
    compute = model.compute_metrics

    def with_accuracy(x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        labels = y if len(y.shape) == 1 else tf.argmax(y, axis=-1)
        correct = tf.cast(labels, tf.int64) == tf.argmax(y_pred, axis=-1)
        accuracy.update_state(tf.cast(correct, tf.float32))
        found: dict[str, Any] = compute(x, y, y_pred, sample_weight=sample_weight)
        return {"accuracy": accuracy.result(), **found}

    object.__setattr__(model, "compute_metrics", with_accuracy)
    try:
        yield accuracy
    finally:
        object.__delattr__(model, "compute_metrics")
