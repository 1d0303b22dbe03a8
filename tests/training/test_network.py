"""The Keras model of a recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from mnist_tasks.training import network, recipes

if TYPE_CHECKING:
    from mnist_tasks.training.recipes import Recipe

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("tensorflow")]
PARAMETERS = {"default": 21_970, "plain": 9_946}


@pytest.fixture(params=recipes.RECIPES.values(), ids=lambda recipe: recipe.name)
def recipe(request: pytest.FixtureRequest) -> Recipe:
    chosen: Recipe = request.param
    return chosen


def test_it_is_what_the_contract_wants(recipe: Recipe) -> None:
    model = network.build(recipe)
    assert model.count_params() == PARAMETERS[recipe.name] < 25_000
    assert model.input_shape == (None, 28, 28, 1)
    assert model.output_shape == (None, 10)


def test_its_layers_are_those_of_the_description(recipe: Recipe) -> None:
    layers = network.build(recipe).layers
    kinds = [type(layer).__name__ for layer in layers]
    assert {"Conv2D", "BatchNormalization", "Dropout", "Dense"} <= set(kinds)
    convolutions = [layer for layer in layers if type(layer).__name__ == "Conv2D"]
    assert {layer.activation.__name__ for layer in convolutions} == {"relu"}
    assert kinds[-1] == "Dense"
    assert layers[-1].activation.__name__ == "softmax"


def test_it_is_compiled_as_described(recipe: Recipe) -> None:
    model = network.build(recipe)
    assert type(model.optimizer).__name__ == "Adagrad"
    assert model.loss == "sparse_categorical_crossentropy"


def test_the_trainee_is_the_same_network_without_its_softmax(recipe: Recipe) -> None:
    model, trainee = network.build(recipe), network.build_trainee(recipe)
    model.set_weights(trainee.get_weights())
    images = np.random.default_rng(0).random((5, 28, 28, 1), np.float32)
    logits = np.asarray(trainee(images))
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    softmax = exponentials / exponentials.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(np.asarray(model(images)), softmax, atol=1e-5)
