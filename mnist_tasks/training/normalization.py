"""Batch normalization: a faster layer for training, and statistics for averaged weights."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from mnist_tasks.training.batches import with_channels

ENOUGH_IMAGES = 500  # for the statistics: 2,000 and 10,000 gave the same accuracy


def recompute(model: keras.Sequential, images: NDArray[np.uint8]) -> None:
    """Recompute the statistics of every batch normalization from images.

    Images are uint8, (n, h, w) or (n, h, w, 3).

    Averaged weights need statistics of their own, since those collected during training belong to
    other weights (P. Izmailov et al., "Averaging weights leads to wider optima and better
    generalization", 2018).
    """
    values = tf.cast(with_channels(images), tf.float32) / 255.0
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            mean, variance = tf.nn.moments(values, axes=(0, 1, 2))
            layer.moving_mean.assign(mean)
            layer.moving_variance.assign(variance)
        values = layer(values, training=False)


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
