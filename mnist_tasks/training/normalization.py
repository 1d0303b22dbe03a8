"""Batch normalization: a faster layer for training, and statistics for averaged weights."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from mnist_tasks.training.batches import with_channels

BATCH = 500  # images: enough for the statistics of one epoch
MOST_IMAGES = 10 * BATCH


def recompute(model: keras.Sequential, images: NDArray[np.uint8]) -> None:
    """Recompute the statistics of every batch normalization from images.

    Images are uint8, (n, h, w) or (n, h, w, 3). The statistics are means over those of batches
    of about `BATCH` images.

    Averaged weights need statistics of their own, since those collected during training belong to
    other weights (P. Izmailov et al., "Averaging weights leads to wider optima and better
    generalization", 2018).
    """
    layers = [each for each in model.layers if isinstance(each, keras.layers.BatchNormalization)]
    found: list[list[Any]] = [[] for _ in layers]
    for part in np.array_split(images, max(1, len(images) // BATCH)):
        values = tf.cast(with_channels(part), tf.float32) / 255.0
        for layer in model.layers:
            if layer in layers:
                moments = tf.nn.moments(values, axes=(0, 1, 2))
                found[layers.index(layer)].append(moments)
                _set(layer, moments)
            values = layer(values, training=False)
    for layer, batches in zip(layers, found, strict=True):
        _set(layer, [tf.add_n(parts) / len(parts) for parts in zip(*batches, strict=True)])


def _set(layer: keras.layers.BatchNormalization, moments: Any) -> None:
    for statistic, value in zip((layer.moving_mean, layer.moving_variance), moments, strict=True):
        statistic.assign(value)


class FastBatchNormalization(keras.layers.BatchNormalization):  # type: ignore[misc]
    """Keras's layer, trained with operations that are faster on this device.

    Its output, weights and statistics are those of Keras, up to rounding. It accepts only images
    (n, height, width, channels) float32.

    Parameters
    ----------
    updates_statistics
        Whether to update the moving statistics during training: not if they are recomputed later.
    """

    def __init__(self, *, updates_statistics: bool = True, **settings: Any) -> None:
        super().__init__(**settings)
        self._updates_statistics = updates_statistics
        self._normalize = _normalize_fused if tf.config.get_visible_devices("GPU") else _normalize

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Normalize: by the batch during training, and by the moving statistics otherwise."""
        if not training:
            return super().call(inputs, training=training, mask=mask)
        gamma, beta = map(tf.convert_to_tensor, (self.gamma, self.beta))
        outputs, mean, variance = self._normalize(inputs, gamma, beta, self.epsilon)
        if self._updates_statistics:
            for moving, new in ((self.moving_mean, mean), (self.moving_variance, variance)):
                moving.assign(moving * self.momentum + new * (1 - self.momentum))
        return outputs


def _normalize_fused(images: Any, gamma: Any, beta: Any, epsilon: float) -> tuple[Any, Any, Any]:
    """Normalize images, in one kernel. It is fast on a GPU."""
    outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
        x=images, scale=gamma, offset=beta, mean=[], variance=[], epsilon=epsilon
    )
    return outputs, mean, variance


def _normalize(images: Any, gamma: Any, beta: Any, epsilon: float) -> tuple[Any, Any, Any]:
    """Normalize images, and return their mean and variance (channels,), too.

    On a CPU, the fused kernel and its gradient take up to five times as long, since they work
    through the channels of each pixel, of which there are few. Here, sums are matrix products, and
    all channels of a row of pixels are one vector.
    """
    _, _, width, channels = images.shape

    def in_rows(values: Any) -> Any:
        return tf.reshape(values, (-1, width * channels))

    def total(rows: Any) -> Any:
        """Return the sums over all pixels, (channels,)."""
        of_column = tf.matmul(tf.ones((1, tf.shape(rows)[0])), rows)
        return tf.reduce_sum(tf.reshape(of_column, (width, channels)), axis=0)

    def repeat(values: Any) -> Any:
        """Repeat values (channels,) for each pixel of a row."""
        return tf.tile(values, [width])

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def normalize(images: Any, gamma: Any, beta: Any) -> tuple[tuple[Any, Any, Any], Any]:
        rows = in_rows(images)
        pixels = tf.cast(tf.shape(rows)[0] * width, tf.float32)
        mean = total(rows) / pixels
        # Rounding can make it slightly negative.
        variance = tf.maximum(total(rows * rows) / pixels - mean * mean, 0.0)
        inverse = tf.math.rsqrt(variance + epsilon)
        factor = gamma * inverse
        outputs = rows * repeat(factor) + repeat(beta - mean * factor)

        def gradient(outer: Any, *_: Any) -> tuple[Any, Any, Any]:
            # S. Ioffe and C. Szegedy, "Batch normalization" (2015), section 3.
            outer_rows = in_rows(outer)
            of_beta = total(outer_rows)
            of_gamma = (total(outer_rows * rows) - mean * of_beta) * inverse
            slope = -factor * inverse * of_gamma / pixels
            constant = -factor * of_beta / pixels - slope * mean
            of_rows = outer_rows * repeat(factor) + (rows * repeat(slope) + repeat(constant))
            return tf.reshape(of_rows, tf.shape(images)), of_gamma, of_beta

        return (tf.reshape(outputs, tf.shape(images)), mean, variance), gradient

    outputs, mean, variance = normalize(images, gamma, beta)
    outputs.set_shape(images.shape)
    return outputs, mean, variance
