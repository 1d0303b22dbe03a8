"""Train the user's model with Keras's own ``fit``, which calls her callbacks."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf

from mnist_tasks.dataset_info import array_shape
from mnist_tasks.errors import MnistTasksError
from mnist_tasks.records import Epoch, Point
from mnist_tasks.training import loop, user_code
from mnist_tasks.training.fit_follower import Follower
from mnist_tasks.training.loop import EpochProgress
from mnist_tasks.training.network_file import NetworkFile
from mnist_tasks.training.user_model import UserModel
from mnist_tasks.training.validation import BATCH_SIZE, batches_in_order

if TYPE_CHECKING:
    from mnist_tasks.data.store import LabeledImages

Batch = tuple[Any, Any]  # images (batch, h, w) or (batch, h, w, 3) uint8, labels (batch,) int32


def fit(
    user: UserModel,
    file: NetworkFile,
    epoch: Callable[[], Iterator[Batch]],
    *,
    epochs: int,
    sizes: list[int],
    progress: EpochProgress,
    validation: LabeledImages | None = None,
) -> tuple[tuple[Epoch, ...], tuple[Point, ...]]:
    """Train a model in place.

    Parameters
    ----------
    epoch
        Returns the batches of the next epoch.
    sizes
        The size of each batch of an epoch.
    validation
        Evaluated after each epoch; the user's callbacks get ``val_loss`` and ``val_accuracy``.

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
            yield from epoch()
        except Exception as error:  # and not that the generator is closed
            errors.append(error)
            raise

    def prepared(images: Any, labels: Any) -> tuple[Any, Any]:
        pixels = tf.reshape(tf.cast(images, tf.float32) / 255.0, (-1, *image_shape))
        return pixels, tf.one_hot(labels, classes) if user.loss.one_hot else labels

    shape = array_shape(image_shape)
    signature = (tf.TensorSpec((None, *shape), tf.uint8), tf.TensorSpec((None,), tf.int32))

    def dataset(make: Callable[[], Iterator[Batch]], count: int) -> Any:
        found = tf.data.Dataset.from_generator(make, output_signature=signature)
        # Or Keras warns when the batches end.
        return found.apply(tf.data.experimental.assert_cardinality(count)).map(prepared)

    validating = None
    if validation is not None:
        count = math.ceil(len(validation.labels) / BATCH_SIZE)
        validating = dataset(lambda: batches_in_order(validation), count)
    swaps = any(isinstance(each, keras.callbacks.SwapEMAWeights) for each in user.callbacks)
    images = len(validation.labels) if validation else 0
    follower = Follower(sizes, epochs, progress, validation=images, averages=not swaps)
    progress.begin(epochs, sum(sizes))
    try:
        with user_code.running(file), _accuracy_measured(user.model) as accuracy:
            follower.accuracy = accuracy
            user.model.fit(
                dataset(batches, len(sizes)).prefetch(2),
                epochs=epochs,
                shuffle=False,  # the batches are
                validation_data=validating,
                verbose=0,
                callbacks=[follower, *user.callbacks],
            )
    except MnistTasksError as error:
        if errors:
            raise errors[0] from error
        raise
    return tuple(follower.epochs), loop.thinned(follower.curve)


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
