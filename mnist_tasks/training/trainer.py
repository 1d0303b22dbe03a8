"""The training loop: what ``model.fit`` does, faster, with any Keras model and optimizer.

Small networks on a CPU spend most of ``fit`` outside of their arithmetic. This loop runs many steps
in one call of one graph, and computes each batch in *micro-batches*: parts side by side, one on
each thread, where splitting every small operation over the threads costs more than it saves. Batch
normalization then takes its statistics from each part ("ghost batch normalization": E. Hoffer et
al., "Train longer, generalize better", 2017).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tensorflow as tf

if TYPE_CHECKING:
    import keras
    import numpy as np
    from numpy.typing import NDArray


class Trainer:
    """A model in training with sparse categorical cross-entropy.

    Parameters
    ----------
    model
        From images (n, 28, 28, 1) float32 in [0, 1] to logits (n, classes).
    micro_batches
        In how many parts a batch is computed; every batch has at least that many images.
    """

    def __init__(
        self, model: keras.Model, optimizer: keras.optimizers.Optimizer, *, micro_batches: int
    ) -> None:
        self._model = model
        self._optimizer = optimizer
        self._towers = micro_batches
        optimizer.build(model.trainable_variables)
        images = tf.TensorSpec((None, None, 28, 28), tf.uint8)
        labels = tf.TensorSpec((None, None), tf.int32)
        self._steps = tf.function(self._take_steps, input_signature=(images, labels))

    def run(self, images: NDArray[np.uint8], labels: NDArray[np.int32]) -> tuple[float, int]:
        """Take one step for each batch.

        Parameters
        ----------
        images : (steps, batch, 28, 28) uint8
        labels : (steps, batch) int32

        Returns
        -------
        loss
            The sum over all images, in nats.
        correct
            How many images were given their true digit.
        """
        loss, correct = self._steps(images, labels)
        return float(loss), int(correct)

    def finish(self) -> None:
        """Give the model the average of its weights, where the optimizer keeps one."""
        self._optimizer.finalize_variable_values(self._model.trainable_variables)

    def _take_steps(self, images: Any, labels: Any) -> tuple[Any, Any]:
        loss, correct = tf.constant(0.0), tf.constant(0)
        for step in tf.range(tf.shape(images)[0]):
            pixels = tf.cast(images[step], tf.float32)[..., tf.newaxis] / 255.0
            step_loss, step_correct = self._take_step(pixels, labels[step])
            loss += step_loss
            correct += step_correct
        return loss, correct

    def _take_step(self, images: Any, labels: Any) -> tuple[Any, Any]:
        states = self._model.non_trainable_variables
        gradients, ends, loss, correct = self._differentiate(
            images, labels, [state.value for state in states], count=tf.shape(labels)[0]
        )
        self._optimizer.apply(gradients, self._model.trainable_variables)
        for state, end in zip(states, ends, strict=True):
            state.assign(end)
        return loss, correct

    def _differentiate(
        self, images: Any, labels: Any, start: list[Any], *, count: Any
    ) -> tuple[list[Any], list[Any], Any, Any]:
        """Compute a batch, or a share of one of `count` images, from the states at its start.

        Returns
        -------
        gradients
            Of the sum of these images' losses over `count`.
        states
            The model's at the end, the mean over the parts.
        loss, correct
            The sum of the losses, and how many images were given their true digit.
        """
        values = [each.value for each in self._model.trainable_variables]
        entry, outputs, ends = start, [], []
        with tf.GradientTape() as tape:
            tape.watch(values)
            for part in _split(images, self._towers):
                output, end = self._model.stateless_call(values, entry, part, training=True)
                outputs.append(output)
                ends.append(end)
                # Each part starts from the same statistics, but drops out activations of its own.
                entry = [
                    old if is_statistic(old) else new for old, new in zip(start, end, strict=True)
                ]
            logits = tf.concat(outputs, axis=0)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
            loss = tf.reduce_sum(losses)
            mean = loss / tf.cast(count, tf.float32)
        states = [
            tf.add_n(news) / len(news) if is_statistic(news[0]) else news[-1]
            for news in zip(*ends, strict=True)
        ]
        hits = tf.argmax(logits, axis=1, output_type=tf.int32) == labels
        correct = tf.reduce_sum(tf.cast(hits, tf.int32))
        return tape.gradient(mean, values), states, loss, correct


def is_statistic(state: Any) -> bool:
    """Tell a running statistic from a seed of dropout, which is a pair of counts."""
    return bool(state.dtype == "float32")


def _split(images: Any, parts: int) -> list[Any]:
    """Split a batch into parts whose sizes differ by one at most."""
    count = tf.shape(images)[0]
    return [images[count * part // parts : count * (part + 1) // parts] for part in range(parts)]
