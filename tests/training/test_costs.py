"""The costs of a network's layers, compared with what was counted by hand."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import pytest

from mnist_tasks.training import batches, costs, recipes
from mnist_tasks.training.layer_specs import (
    AveragePool,
    BatchNorm,
    Conv,
    Dropout,
    GlobalAveragePool,
    MaxPool,
    SeparableConv,
)
from mnist_tasks.training.model import build_model

if TYPE_CHECKING:
    from mnist_tasks.training.layer_specs import LayerSpec

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("tensorflow")]


@pytest.mark.parametrize(
    ("spec", "shape", "operations"),
    [
        (Conv(filters=16, kernel=3), (26, 26, 16), 26 * 26 * 9 * 16),
        (Conv(filters=16, kernel=3, padding="same"), (28, 28, 16), 28 * 28 * 9 * 16),
        (Conv(filters=2, kernel=6, stride=2, padding="same"), (14, 14, 2), 14 * 14 * 36 * 2),
        (Conv(filters=2, kernel=6, stride=3), (8, 8, 2), 8 * 8 * 36 * 2),
        (SeparableConv(filters=9, kernel=3, stride=2), (13, 13, 9), 13 * 13 * (9 + 9)),
        (BatchNorm(), (28, 28, 1), 28 * 28),
        (GlobalAveragePool(), (1, 1, 1), 0),
        (MaxPool(size=3), (9, 9, 1), 0),
        (AveragePool(), (14, 14, 1), 0),
        (Dropout(rate=0.5), (28, 28, 1), 0),
    ],
)
def test_a_layer_costs_what_was_counted_by_hand(
    spec: LayerSpec, shape: tuple[int, ...], operations: int
) -> None:
    model = build_model(msgspec.structs.replace(recipes.DEFAULT, layers=(spec,)))
    first, flatten, dense = costs.layers(model)
    assert (first.output_shape, first.operations) == ((None, *shape), operations)
    assert (flatten.output_shape, flatten.operations) == ((None, math.prod(shape)), 0)
    assert dense.operations == math.prod(shape) * 10
    assert first.parameters + dense.parameters == model.count_params()


def test_the_first_filters_are_those_of_the_model() -> None:
    model = build_model(recipes.DEFAULT)
    filters = np.array(costs.first_filters(model))
    assert filters.shape == (16, 6, 6)
    kernel = np.asarray(model.layers[0].kernel)
    np.testing.assert_allclose(filters[3], kernel[:, :, 0, 3], atol=1e-4)


def test_the_default_recipe_has_not_grown() -> None:
    """Guard the speed without a clock, so that the test can't be flaky."""
    found = costs.layers(build_model(recipes.DEFAULT))
    assert sum(layer.operations or 0 for layer in found) == 676_016
    assert sum(layer.parameters for layer in found) == 23_818
    assert len(batches.sizes(60_000, recipes.DEFAULT.batch_size)) == 750


def test_what_is_not_known_is_not_counted() -> None:
    import keras
    from keras import layers

    inputs = keras.Input((28, 28, 1))
    x, _ = layers.GRU(4, return_state=True)(layers.Reshape((28, 28))(inputs))
    x = keras.Sequential([keras.Input((4,)), layers.Dense(4)])(x)
    model = keras.Model(inputs, layers.Dense(10)(x))
    found = {each.kind: (each.output_shape, each.operations) for each in costs.layers(model)}
    assert found["Reshape"] == ((None, 28, 28), 0)
    assert found["GRU"] == ((None, 4), None)
    assert found["Sequential"] == ((None, 4), None)
    assert found["Dense"] == ((None, 10), 40)
