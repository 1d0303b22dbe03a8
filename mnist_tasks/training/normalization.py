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


class FusedBatchNormalization(keras.layers.BatchNormalization):  # type: ignore[misc]
    """Keras's layer, trained with one fused TensorFlow kernel instead of several operations.

    Its output, weights and statistics are those of Keras. The kernel accepts only images
    (n, height, width, channels).

    Parameters
    ----------
    updates_statistics
        Whether to update the moving statistics during training: not if they are recomputed later.
    """

    def __init__(self, *, updates_statistics: bool = True, **settings: Any) -> None:
        super().__init__(**settings)
        self._updates_statistics = updates_statistics

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Normalize: by the batch during training, and by the moving statistics otherwise."""
        if not training:
            return super().call(inputs, training=training, mask=mask)
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs, scale=self.gamma, offset=self.beta, mean=[], variance=[], epsilon=self.epsilon
        )
        if self._updates_statistics:
            for moving, new in ((self.moving_mean, mean), (self.moving_variance, variance)):
                moving.assign(moving * self.momentum + new * (1 - self.momentum))
        return outputs
