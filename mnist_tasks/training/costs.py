"""What each layer of a network costs, and the filters of its first convolution."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mnist_tasks.check_records import Layer, Shape

if TYPE_CHECKING:
    import keras

KERNELS = ("Dense", "Conv1D", "Conv2D", "DepthwiseConv2D", "SeparableConv2D")
SCALES = ("BatchNormalization", "FastBatchNormalization", "LayerNormalization", "PReLU")
DECIMALS = 4  # of the filters' weights, which the report draws


def layers(model: keras.Model) -> tuple[Layer, ...]:
    """Return a model's layers as Keras names them, with the operations of each."""
    return tuple(
        Layer(
            name=layer.name,
            kind=type(layer).__name__,
            output_shape=_output_shape(layer),
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


def _output_shape(layer: keras.Layer) -> Shape:
    """Return the shape of a layer's output, or of its first one."""
    outputs = layer.output if isinstance(layer.output, list | tuple) else [layer.output]
    return tuple(outputs[0].shape)


def _operations(layer: keras.Layer) -> int | None:
    """Return the multiply-adds of a layer for one image; 0 for a layer without weights.

    ``None`` if it has weights that are used otherwise than those of the layers known here.
    """
    shape = _output_shape(layer)[1:]
    kind = type(layer).__name__
    if not layer.weights:
        return 0
    if None in shape or kind not in (*KERNELS, *SCALES):
        return None
    # A kernel is used at each position of the output; normalization scales each value of it.
    sizes = [int(size or 1) for size in shape]
    if kind in SCALES:
        return math.prod(sizes)
    is_separable = kind == "SeparableConv2D"
    kernels = (layer.depthwise_kernel, layer.pointwise_kernel) if is_separable else (layer.kernel,)
    weights = sum(math.prod(kernel.shape) for kernel in kernels)
    return int(weights) * math.prod(sizes[:-1])
