"""The training loop: what ``model.fit`` does, faster, on any Keras model.

Small networks on a CPU spend most of ``fit`` outside of their arithmetic. This loop

- runs many steps in one call of one graph,
- keeps all weights in one vector, so that Adagrad and the weights' average are a handful of
  operations in place of a handful for each variable,
- computes each batch in `towers` parts side by side, a thread for each, where splitting every
  small operation over the threads costs more than it saves. Batch normalization then takes its
  statistics from each part ("ghost batch normalization", E. Hoffer et al., 2017).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import keras
    from numpy.typing import NDArray

EPSILON = 1e-7  # as keras.optimizers.Adagrad has it


class Trainer:
    """A Keras model's weights in training with Adagrad and sparse categorical cross-entropy.

    Parameters
    ----------
    model
        From images (n, 28, 28, 1) float32 in [0, 1] to logits (n, classes).
    accumulator
        Where Adagrad's sums of squared gradients start.
    towers
        In how many parts a batch is computed; every batch has at least that many images.
    """

    def __init__(self, model: keras.Model, *, accumulator: float, towers: int) -> None:
        import tensorflow as tf

        start = np.concatenate([np.ravel(each) for each in model.trainable_variables])
        self._model = model
        self._towers = towers
        self._weights = tf.Variable(start)
        self._squares = tf.Variable(np.full_like(start, accumulator))
        self._states = [tf.Variable(each.value) for each in model.non_trainable_variables]
        self._mean_weights = tf.Variable(self._weights)
        self._mean_states = [tf.Variable(each) for each in self._states]
        batches = tf.TensorSpec((None, None, 28, 28), tf.uint8)
        labels = tf.TensorSpec((None, None), tf.int32)
        per_step = tf.TensorSpec((None,), tf.float32)
        self._steps = tf.function(
            self._take_steps, input_signature=(batches, labels, per_step, per_step)
        )

    def run(
        self,
        images: NDArray[np.uint8],
        labels: NDArray[np.int32],
        rates: NDArray[np.float32],
        kept: NDArray[np.float32],
    ) -> tuple[float, int]:
        """Take one step for each batch.

        Parameters
        ----------
        images : (steps, batch, 28, 28) uint8
        labels : (steps, batch) int32
        rates : (steps,) float32
            The learning rates.
        kept : (steps,) float32 in [0, 1)
            What the average of the weights keeps of itself.

        Returns
        -------
        loss
            The sum over all images, in nats.
        correct
            How many images were given their true digit.
        """
        loss, correct = self._steps(images, labels, rates, kept)
        return float(loss), int(correct)

    def finish(self) -> None:
        """Give the model the average of the weights."""
        import tensorflow as tf

        for variable, value in zip(
            self._model.trainable_variables, self._unpack(self._mean_weights), strict=True
        ):
            variable.assign(value)
        for variable, state in zip(
            self._model.non_trainable_variables, self._mean_states, strict=True
        ):
            variable.assign(tf.convert_to_tensor(state))

    def _unpack(self, vector: Any) -> list[Any]:
        """Cut the vector of all weights into the model's trainable variables."""
        import tensorflow as tf

        shapes = [each.shape for each in self._model.trainable_variables]
        parts = tf.split(vector, [math.prod(shape) for shape in shapes])
        return [tf.reshape(part, shape) for part, shape in zip(parts, shapes, strict=True)]

    def _take_steps(self, images: Any, labels: Any, rates: Any, kept: Any) -> tuple[Any, Any]:
        import tensorflow as tf

        loss, correct = tf.constant(0.0), tf.constant(0)
        for step in tf.range(tf.shape(images)[0]):
            pixels = tf.cast(images[step], tf.float32)[..., tf.newaxis] / 255.0
            step_loss, step_correct = self._take_step(pixels, labels[step], rates[step], kept[step])
            loss += step_loss
            correct += step_correct
        return loss, correct

    def _take_step(self, images: Any, labels: Any, rate: Any, kept: Any) -> tuple[Any, Any]:
        import tensorflow as tf

        weights = self._weights.read_value()
        with tf.GradientTape() as tape:
            tape.watch(weights)
            variables = self._unpack(weights)
            start = states = [each.read_value() for each in self._states]
            outputs, ends = [], []
            for part in _split(images, self._towers):
                output, end = self._model.stateless_call(variables, states, part, training=True)
                outputs.append(output)
                ends.append(end)
                # Each part starts from the same statistics, but drops out activations of its own.
                states = [
                    old if old.dtype.is_floating else new
                    for old, new in zip(start, end, strict=True)
                ]
            logits = tf.concat(outputs, axis=0)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
            loss = tf.reduce_mean(losses)
        gradient = tape.gradient(loss, weights)
        squares = self._squares.assign_add(gradient * gradient)
        weights = self._weights.assign_sub(rate * gradient * tf.math.rsqrt(squares + EPSILON))
        self._mean_weights.assign(kept * self._mean_weights + (1 - kept) * weights)
        for state, mean, *values in zip(self._states, self._mean_states, *ends, strict=True):
            if state.dtype.is_floating:
                value = state.assign(tf.add_n(values) / len(values))
                mean.assign(kept * mean + (1 - kept) * value)
            else:  # the seed of a dropout: it counts, and has no mean
                mean.assign(state.assign(values[-1]))
        hits = tf.argmax(logits, axis=1, output_type=tf.int32) == labels
        return tf.reduce_sum(losses), tf.reduce_sum(tf.cast(hits, tf.int32))


def _split(images: Any, parts: int) -> list[Any]:
    """Split a batch into parts whose sizes differ by one at most."""
    import tensorflow as tf

    count = tf.shape(images)[0]
    return [images[count * part // parts : count * (part + 1) // parts] for part in range(parts)]
