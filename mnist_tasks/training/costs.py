"""What each layer of a network costs, computed from the recipe; and the filters of the first."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mnist_tasks.records import Layer
from mnist_tasks.training.recipes import (
    CLASSES,
    IMAGE_SHAPE,
    AveragePool,
    BatchNorm,
    Conv,
    Dropout,
    MaxPool,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import keras

    from mnist_tasks.training.recipes import LayerSpec, Recipe

DECIMALS = 4  # of a filter's weights, which are drawn


@dataclass(frozen=True, kw_only=True)
class Cost:
    """The output and the costs of one layer, for one image.

    Attributes
    ----------
    output_shape
        Without the batch dimension.
    parameters
        Trainable and non-trainable ones.
    operations
        Multiply-adds of layers with weights; 0 for pooling, dropout and flattening.
    """

    output_shape: tuple[int, ...]
    parameters: int = 0
    operations: int = 0


def costs(layers: Sequence[LayerSpec]) -> tuple[Cost, ...]:
    """Return the costs of the layers of a recipe, then of the flattening and the dense layer."""
    shape: tuple[int, ...] = IMAGE_SHAPE
    found = []
    for spec in layers:
        found.append(_cost(spec, *shape))
        shape = found[-1].output_shape
    values = math.prod(shape)
    dense = Cost(
        output_shape=(CLASSES,), parameters=(values + 1) * CLASSES, operations=values * CLASSES
    )
    return (*found, Cost(output_shape=(values,)), dense)


def layers(model: keras.Model, recipe: Recipe) -> tuple[Layer, ...]:
    """Return the layers of a recipe's model as Keras names them, with the operations of each."""
    return tuple(
        Layer(
            name=layer.name,
            kind=type(layer).__name__,
            output_shape=tuple(layer.output.shape),
            parameters=layer.count_params(),
            operations=cost.operations,
        )
        for layer, cost in zip(model.layers, costs(recipe.layers), strict=True)
    )


def first_filters(model: keras.Model) -> tuple[tuple[tuple[float, ...], ...], ...]:
    """Return the weights of the first convolution: (filters, height, width), empty without one."""
    for layer in model.layers:
        if type(layer).__name__ == "Conv2D":
            kernel = np.asarray(layer.kernel.value)[:, :, 0, :].round(DECIMALS)
            return tuple(
                tuple(tuple(float(weight) for weight in row) for row in square)
                for square in np.moveaxis(kernel, -1, 0)
            )
    return ()


def _cost(spec: LayerSpec, height: int, width: int, channels: int) -> Cost:
    same_shape = (height, width, channels)
    match spec:
        case Conv():
            sides = (_side(height, spec), _side(width, spec))
            weights = spec.kernel**2 * channels * spec.filters
            return Cost(
                output_shape=(*sides, spec.filters),
                parameters=weights + spec.filters,
                operations=math.prod(sides) * weights,
            )
        case BatchNorm():
            # Scale, offset, and the moving mean and variance of each channel.
            return Cost(
                output_shape=same_shape, parameters=4 * channels, operations=math.prod(same_shape)
            )
        case MaxPool() | AveragePool():
            return Cost(output_shape=(height // spec.size, width // spec.size, channels))
        case Dropout():
            return Cost(output_shape=same_shape)


def _side(size: int, spec: Conv) -> int:
    """Return the length of a convolution's output along a side of `size` pixels."""
    positions = size if spec.padding == "same" else size - spec.kernel + 1
    return math.ceil(positions / spec.stride)
