"""Fold batch normalization into the convolution before it, which then has a bias.

Once trained, batch normalization is a factor and a summand for each channel. A convolution can do
both: with a kernel that is multiplied by the factors, and with the summands as its bias. The
network computes the same, with fewer parameters and operations.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray


def folded_weights(model: keras.Sequential) -> list[NDArray[np.float32]]:
    """Return the weights of a trained network, for its model with folded normalization.

    Parameters
    ----------
    model
        As `model.build_training_model` makes it: a convolution without bias is followed by its
        batch normalization.
    """
    found: list[NDArray[np.float32]] = []
    layers = iter(model.layers)
    for layer in layers:
        weights = layer.get_weights()
        has_bias = getattr(layer, "use_bias", True)
        found += weights if has_bias else _fold(weights, next(layers))
    return found


def _fold(kernels: list[Any], normalization: keras.layers.BatchNormalization) -> list[Any]:
    """Return the kernels and the bias of a convolution with a normalization after it.

    The last axis of the last kernel is that of the channels, also of a separable convolution.
    """
    gamma, beta, mean, variance = (each.astype("f8") for each in normalization.get_weights())
    factors = gamma / np.sqrt(variance + normalization.epsilon)
    *first, last = kernels
    return [*first, (last * factors).astype("f4"), (beta - mean * factors).astype("f4")]
