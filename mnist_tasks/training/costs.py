"""What each layer of a network costs, and the filters of its first convolution."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mnist_tasks.records import Layer

if TYPE_CHECKING:
    import keras

DECIMALS = 4  # of the filters' weights, which the report draws


def layers(model: keras.Model) -> tuple[Layer, ...]:
    """Return a model's layers as Keras names them, with the operations of each."""
    return tuple(
        Layer(
            name=layer.name,
            kind=type(layer).__name__,
            output_shape=tuple(layer.output.shape),
            parameters=layer.count_params(),
            operations=_operations(layer),
        )
        for layer in model.layers
    )


def first_filters(model: keras.Model) -> tuple[tuple[tuple[float, ...], ...], ...]:
    """Return the first convolution's weights of its first channel: (filters, height, width).

    Without a convolution, the result is empty.
    """
    for layer in model.layers:
        if type(layer).__name__ == "Conv2D":
            kernel = np.asarray(layer.kernel.value)[:, :, 0, :].round(DECIMALS)
            return tuple(
                tuple(tuple(float(weight) for weight in row) for row in square)
                for square in np.moveaxis(kernel, -1, 0)
            )
    return ()


def _operations(layer: keras.Layer) -> int:
    """Return the multiply-adds of a layer for one image; 0 for a layer without weights."""
    shape = layer.output.shape[1:]
    if not layer.weights:
        return 0
    # A kernel is used at each position of the output; normalization scales each value of it.
    kernel = getattr(layer, "kernel", None)
    return math.prod(shape) if kernel is None else math.prod(kernel.shape) * math.prod(shape[:-1])
