"""The costs computed from a recipe, compared with the network that Keras builds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from mnist_tasks.training import batches, costs, recipes
from mnist_tasks.training.model import build_model
from mnist_tasks.training.recipes import AveragePool, BatchNorm, Conv, Dropout, MaxPool

if TYPE_CHECKING:
    from mnist_tasks.training.recipes import LayerSpec, Recipe


@pytest.mark.parametrize(
    ("spec", "shape", "operations"),
    [
        (Conv(filters=16, kernel=3), (26, 26, 16), 26 * 26 * 9 * 16),
        (Conv(filters=16, kernel=3, padding="same"), (28, 28, 16), 28 * 28 * 9 * 16),
        (Conv(filters=2, kernel=6, stride=2, padding="same"), (14, 14, 2), 14 * 14 * 36 * 2),
        (Conv(filters=2, kernel=6, stride=3), (8, 8, 2), 8 * 8 * 36 * 2),
        (BatchNorm(), (28, 28, 1), 28 * 28),
        (MaxPool(size=3), (9, 9, 1), 0),
        (AveragePool(), (14, 14, 1), 0),
        (Dropout(rate=0.5), (28, 28, 1), 0),
    ],
)
def test_a_layer_costs_what_was_counted_by_hand(
    spec: LayerSpec, shape: tuple[int, ...], operations: int
) -> None:
    first, flatten, dense = costs.costs([spec])
    assert (first.output_shape, first.operations) == (shape, operations)
    assert dense.operations == flatten.output_shape[0] * 10 == np.prod(shape) * 10


@pytest.mark.slow
@pytest.mark.usefixtures("tensorflow")
@pytest.mark.parametrize("recipe", recipes.RECIPES.values(), ids=lambda recipe: recipe.name)
def test_shapes_and_parameters_are_those_of_keras(recipe: Recipe) -> None:
    model = build_model(recipe, steps=1)
    found = costs.costs(recipe.layers)
    described = costs.layers(model, recipe)
    assert [layer.output_shape for layer in described] == [
        (None, *cost.output_shape) for cost in found
    ]
    assert [layer.parameters for layer in described] == [cost.parameters for cost in found]
    assert sum(layer.parameters for layer in described) == model.count_params()
    assert [layer.operations for layer in described] == [cost.operations for cost in found]


@pytest.mark.slow
@pytest.mark.usefixtures("tensorflow")
def test_the_first_filters_are_those_of_the_model() -> None:
    model = build_model(recipes.DEFAULT, steps=1)
    filters = np.array(costs.first_filters(model))
    assert filters.shape == (16, 6, 6)
    kernel = np.asarray(model.layers[0].kernel)
    np.testing.assert_allclose(filters[3], kernel[:, :, 0, 3], atol=1e-4)


def test_the_default_recipe_has_not_grown() -> None:
    """A guard of its speed that needs no clock, so it can't be flaky."""
    recipe = recipes.DEFAULT
    found = costs.costs(recipe.layers)
    assert sum(cost.operations for cost in found) == 676_016
    assert sum(cost.parameters for cost in found) == 23_818
    assert len(batches.sizes(60_000, recipe.batch_size)) == 625
