"""A faster ``model.fit`` for small networks on a CPU, for any Keras model and optimizer.

Most of the time of ``fit`` goes into work between the steps. This trainer runs many steps in one
call of a graph, and computes each batch in *micro-batches*: parts in parallel, one on each thread,
since splitting each small operation over the threads costs more than it saves. The statistics of
batch normalization are then those of each part ("ghost batch normalization": E. Hoffer et al.,
"Train longer, generalize better", 2017).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from mnist_tasks.dataset_info import array_shape
from mnist_tasks.training.weights import Weights

if TYPE_CHECKING:
    from collections.abc import Callable

    import keras

    Losses = Callable[[Any, list[Any]], Any]


class Trainer:
    """Trains a model with sparse categorical cross-entropy, or another loss of each image.

    Parameters
    ----------
    losses
        Maps labels (n,) int32 and the outputs of the micro-batches, in the same order, to the loss
        of each image (n,) float32.
    shown_losses
        Likewise, for what `run` returns as the loss; by default `losses`.
    model
        From images (n, h, w, channels) float32 in [0, 1] to logits (n, classes).
    micro_batches
        Number of parts in which a batch is computed; at most the size of the smallest batch.
    weights
        The model's weights, as the optimizer gets them; by default, each variable for itself.
    """

    def __init__(
        self,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        *,
        micro_batches: int,
        losses: Losses | None = None,
        shown_losses: Losses | None = None,
        weights: Weights | None = None,
    ) -> None:
        self._weights = weights or Weights(model)
        self._losses = losses or of_logits
        self._shown_losses = shown_losses
        self._model = model
        self._optimizer = optimizer
        self._micro_batches = micro_batches
        optimizer.build(self._weights.variables)
        self._image_shape = model.input_shape[1:]
        images = tf.TensorSpec((None, None, *array_shape(self._image_shape)), tf.uint8)
        labels = tf.TensorSpec((None, None), tf.int32)
        # Like Keras, without AutoGraph: to rewrite the functions takes longer than to trace them.
        self._steps = tf.function(
            self._take_steps, input_signature=(images, labels), autograph=False
        )

    def run(self, images: NDArray[np.uint8], labels: NDArray[np.int32]) -> tuple[float, int]:
        """Take one step for each batch.

        Parameters
        ----------
        images : (steps, batch, h, w) or (steps, batch, h, w, 3) uint8
        labels : (steps, batch) int32

        Returns
        -------
        loss
            Sum over all images, in nats.
        correct
            Number of images classified correctly.
        """
        loss, correct = self._steps(images, labels)
        return float(loss), int(correct)

    def finish(self) -> None:
        """Set the model's weights to those trained, or their average if the optimizer keeps it."""
        self._optimizer.finalize_variable_values(self._weights.variables)
        self._weights.write()

    def _take_steps(self, images: Any, labels: Any) -> tuple[Any, Any]:
        steps = tf.shape(images)[0]

        def take(step: Any, loss: Any, correct: Any) -> tuple[Any, Any, Any]:
            pixels = tf.reshape(tf.cast(images[step], tf.float32), (-1, *self._image_shape)) / 255.0
            step_loss, step_correct = self._take_step(pixels, labels[step])
            return step + 1, loss + step_loss, correct + step_correct

        _, loss, correct = tf.while_loop(lambda step, *_: step < steps, take, (0, 0.0, 0))
        return loss, correct

    def _take_step(self, images: Any, labels: Any) -> tuple[Any, Any]:
        states = self._model.non_trainable_variables
        before = [tf.convert_to_tensor(state.value) for state in states]
        gradients, after, loss, correct = self._differentiate(
            images, labels, before, count=tf.shape(labels)[0]
        )
        self._optimizer.apply(gradients, self._weights.variables)
        for state, old, new in zip(states, before, after, strict=True):
            if new is not old:
                state.assign(new)
        return loss, correct

    def _differentiate(
        self, images: Any, labels: Any, states: list[Any], *, count: Any
    ) -> tuple[list[Any], list[Any], Any, Any]:
        """Compute a batch, or a replica's share of a batch of `count` images.

        Return the gradients of the sum of these images' losses, divided by `count`; the model's
        non-trainable variables after the step, if they were `states` before (statistics are means
        over the micro-batches); the sum of the losses; and the number of correct images.
        """
        variables = [each.value for each in self._weights.variables]
        before, outputs, afters = states, [], []
        with tf.GradientTape() as tape:
            tape.watch(variables)
            values = self._weights.unpack(variables)
            for part in split(images, self._micro_batches):
                output, after = self._model.stateless_call(values, before, part, training=True)
                outputs.append(output)
                afters.append(after)
                # Each part starts from the same statistics, but has its own seed for dropout.
                before = [
                    old if is_statistic(old) else new
                    for old, new in zip(states, after, strict=True)
                ]
            loss = tf.reduce_sum(self._losses(labels, outputs))
            mean = loss / tf.cast(count, tf.float32)
        if self._shown_losses is not None:
            loss = tf.reduce_sum(self._shown_losses(labels, outputs))
        new_states = [_combined(old, news) for old, *news in zip(states, *afters, strict=True)]
        predicted = tf.argmax(tf.concat(outputs, axis=0), axis=1, output_type=tf.int32)
        is_correct = predicted == labels
        correct = tf.reduce_sum(tf.cast(is_correct, tf.int32))
        return tape.gradient(mean, variables), new_states, loss, correct


def _combined(old: Any, news: list[Any]) -> Any:
    """Return a non-trainable variable after a step; `old` itself if no micro-batch changed it."""
    if all(new is old for new in news):
        return old
    return tf.add_n(news) / len(news) if is_statistic(old) else news[-1]


def is_statistic(state: Any) -> bool:
    """Whether a state is a moving statistic, and not the seed of a dropout (two integers)."""
    return bool(state.dtype == "float32")


def of_logits(labels: Any, outputs: list[Any]) -> Any:
    """Return the sparse categorical cross-entropy of logits."""
    logits = tf.concat(outputs, axis=0)
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)


def of_smoothed_logits(smoothing: float, labels: Any, outputs: list[Any]) -> Any:
    """Return the cross-entropy of logits with labels of which a part is spread over all classes.

    C. Szegedy et al., "Rethinking the Inception architecture for computer vision" (2016).
    """
    logits = tf.concat(outputs, axis=0)
    classes = logits.shape[-1]
    spread = smoothing / classes
    wanted = tf.one_hot(labels, classes, on_value=1 - smoothing + spread, off_value=spread)
    return tf.nn.softmax_cross_entropy_with_logits(wanted, logits)


def of_keras(loss: keras.losses.Loss, *, classes: int | None) -> Losses:
    """Return a loss of Keras for `Trainer`; `classes` is ``None`` if it wants integer labels."""

    def losses(labels: Any, outputs: list[Any]) -> Any:
        wanted = labels if classes is None else tf.one_hot(labels, classes)
        parts = zip(split(wanted, len(outputs)), outputs, strict=True)
        # By part: behind a concatenation, Keras would not find the logits before a softmax.
        return tf.concat([loss.call(part, output) for part, output in parts], axis=0)

    return losses


def split(images: Any, parts: int) -> list[Any]:
    """Split a batch into parts whose sizes differ by at most one."""
    count = tf.shape(images)[0]
    return [images[count * part // parts : count * (part + 1) // parts] for part in range(parts)]
