"""A network in figures: what each layer costs, and what the first one looks for.

The costs follow from the recipe alone, so that a network can be weighed without being built.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mnist_tasks.records import Layer
from mnist_tasks.training.recipes import AveragePool, BatchNorm, Conv, Dropout, MaxPool

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import keras

    from mnist_tasks.training.recipes import LayerSpec, Recipe

IMAGE = (28, 28, 1)
DIGITS = 10
DECIMALS = 4  # of a filter's weights: plenty for a picture


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What one layer gives and costs for one image.

    Attributes
    ----------
    output_shape
        Without the batch.
    parameters
        Trainable and non-trainable.
    operations
        Multiply-adds. Only what has weights multiplies: pooling, dropout and flattening count 0.
    """

    output_shape: tuple[int, ...]
    parameters: int
    operations: int


def costs(layers: Sequence[LayerSpec]) -> tuple[Cost, ...]:
    """Return the cost of each layer of a recipe, and then of the flattening and the dense end."""
    return tuple(_costs(layers))


def multiply_adds(layers: Sequence[LayerSpec]) -> int:
    """Return how many multiply-adds the whole network takes for one image."""
    return sum(cost.operations for cost in costs(layers))


def layers(model: keras.Model, recipe: Recipe) -> tuple[Layer, ...]:
    """Return the model's layers as Keras names them, with what each costs."""
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
    """Return the weights of the first convolution: for each of its filters, rows of weights."""
    for layer in model.layers:
        if type(layer).__name__ == "Conv2D":
            kernel = np.asarray(layer.kernel.value)[:, :, 0, :].round(DECIMALS)
            return tuple(
                tuple(tuple(float(weight) for weight in row) for row in square)
                for square in np.moveaxis(kernel, -1, 0)
            )
    return ()


def _costs(layers: Sequence[LayerSpec]) -> Iterator[Cost]:
    shape: tuple[int, ...] = IMAGE
    for spec in layers:
        cost = _cost(spec, *shape)
        yield cost
        shape = cost.output_shape
    values = math.prod(shape)
    yield Cost(output_shape=(values,), parameters=0, operations=0)
    yield Cost(output_shape=(DIGITS,), parameters=(values + 1) * DIGITS, operations=values * DIGITS)


def _cost(spec: LayerSpec, height: int, width: int, channels: int) -> Cost:
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
            # Scale, shift, and the running mean and variance of each channel.
            return Cost(
                output_shape=(height, width, channels),
                parameters=4 * channels,
                operations=height * width * channels,
            )
        case MaxPool() | AveragePool():
            pooled = (height // spec.size, width // spec.size, channels)
            return Cost(output_shape=pooled, parameters=0, operations=0)
        case Dropout():
            return Cost(output_shape=(height, width, channels), parameters=0, operations=0)


def _side(size: int, spec: Conv) -> int:
    """Return how many places a kernel finds along a side of `size` pixels."""
    places = size if spec.padding == "same" else size - spec.kernel + 1
    return math.ceil(places / spec.stride)
