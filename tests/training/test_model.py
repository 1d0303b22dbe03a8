"""The Keras model of a recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from msgspec.structs import replace

from mnist_tasks.errors import UsageError
from mnist_tasks.training import layer_specs, recipes

if TYPE_CHECKING:
    from mnist_tasks.training.recipe import Recipe

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("tensorflow")]
PARAMETERS = {
    "default": 23_818,
    "plain": 9_946,
    "accurate": 20_930,
    "small": 9_322,
    "tiny": 1_746,
}
BOUNDS = {"small": 10_000, "tiny": 2_000}  # parameters
UNFOLDED = pytest.mark.parametrize("unfolded", [recipes.DEFAULT, recipes.PLAIN], ids=str)


@pytest.fixture(params=recipes.RECIPES.values(), ids=lambda recipe: recipe.name)
def recipe(request: pytest.FixtureRequest) -> Recipe:
    chosen: Recipe = request.param
    return chosen


def build(recipe: Recipe) -> Any:
    from mnist_tasks.training.model import build_model

    return build_model(recipe)


def test_it_meets_the_contract(recipe: Recipe) -> None:
    model = build(recipe)
    assert model.count_params() == PARAMETERS[recipe.name] < BOUNDS.get(recipe.name, 25_000)
    assert model.input_shape == (None, 28, 28, 1)
    assert model.output_shape == (None, 10)


def test_a_layer_that_gets_too_few_pixels_is_refused_by_name() -> None:
    deep = replace(recipes.PLAIN, name="deep", layers=(layer_specs.MaxPool(size=20),) * 2)
    with pytest.raises(UsageError) as caught:
        build(deep)
    assert caught.value.subject == "recipe deep: layers[1], MaxPool"


@UNFOLDED
def test_it_has_the_layers_of_the_description(unfolded: Recipe) -> None:
    layers = build(unfolded).layers
    kinds = [type(layer).__name__ for layer in layers]
    assert {"Conv2D", "BatchNormalization", "Dropout", "Dense"} <= set(kinds)
    convolutions = [layer for layer in layers if type(layer).__name__ == "Conv2D"]
    assert {layer.activation.__name__ for layer in convolutions} == {"relu"}
    assert kinds[-1] == "Dense"
    assert layers[-1].activation.__name__ == "softmax"


@UNFOLDED
def test_it_is_compiled_as_described(unfolded: Recipe) -> None:
    model = build(unfolded)
    assert type(model.optimizer).__name__ == "Adagrad"
    assert model.loss == "sparse_categorical_crossentropy"


@pytest.mark.parametrize(
    ("fraction", "averaged", "rate"),
    [(1.0, 0.0, 0.2), (0.5, 0.0, 0.1), (0.0, 0.0, 0.002), (0.5, 0.9, 0.01)],
)
def test_more_training_continues_with_the_last_learning_rate(
    fraction: float, averaged: float, rate: float
) -> None:
    changed = {"learning_rate": 0.2, "final_learning_rate_fraction": fraction}
    model = build(replace(recipes.DEFAULT, ema_momentum=averaged, **changed))
    assert float(model.optimizer.learning_rate) == pytest.approx(rate)


@pytest.mark.parametrize(("name", "kind"), [("sgd", "SGD"), ("adamw", "AdamW")])
def test_another_optimizer_trains_and_is_saved(name: Any, kind: str) -> None:
    from mnist_tasks.training.model import build_optimizer

    recipe = replace(recipes.PLAIN, optimizer=name, momentum=0.8, learning_rate=0.25)
    for optimizer in (build_optimizer(recipe, steps=10), build(recipe).optimizer):
        assert type(optimizer).__name__ == kind
        assert float(optimizer.learning_rate) == pytest.approx(0.25)
        if name == "sgd":
            assert (optimizer.momentum, optimizer.nesterov) == (0.8, True)


@pytest.mark.parametrize("optimizer", ["adagrad", "sgd", "adamw"])
def test_weight_decay_is_for_kernels_only(optimizer: Any) -> None:
    import tensorflow as tf

    from mnist_tasks.training.model import build_optimizer, build_training_model

    layers = (
        layer_specs.Conv(filters=2, kernel=3, batch_norm=True),
        layer_specs.SeparableConv(filters=2, kernel=3),
        layer_specs.BatchNorm(),
    )
    recipe = replace(
        recipes.PLAIN,
        name="bias",
        layers=layers,
        optimizer=optimizer,
        learning_rate=0.5,
        weight_decay=0.2,
    )
    variables = build_training_model(recipe).trainable_variables
    for variable in variables:
        variable.assign(tf.ones_like(variable))
    made = build_optimizer(recipe, steps=1)
    made.build(variables)
    made.apply([tf.zeros_like(each) for each in variables], variables)
    found = {each.path.split("/", 1)[1]: np.unique(np.asarray(each)) for each in variables}
    assert len(variables) == 10
    for path, values in found.items():
        expected = 1 - 0.5 * 0.2 if "kernel" in path else 1.0
        np.testing.assert_allclose(values, expected, rtol=1e-6, err_msg=path)


@UNFOLDED
def test_the_training_model_is_the_same_network_without_softmax(unfolded: Recipe) -> None:
    from mnist_tasks.training.model import build_training_model

    model, training_model = build(unfolded), build_training_model(unfolded)
    model.set_weights(training_model.get_weights())
    images = np.random.default_rng(0).random((5, 28, 28, 1), np.float32)
    logits = np.asarray(training_model(images))
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    softmax = exponentials / exponentials.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(np.asarray(model(images)), softmax, atol=1e-5)


@UNFOLDED
def test_mixed_precision_is_only_for_the_convolutions(unfolded: Recipe) -> None:
    from mnist_tasks.training.model import build_training_model

    training_model = build_training_model(unfolded, precision="mixed_bfloat16")
    computed = {
        kind: {
            str(layer.compute_dtype)
            for layer in training_model.layers
            if kind in type(layer).__name__
        }
        for kind in ("Conv2D", "Pooling", "BatchNormalization", "Dense")
    }
    assert computed == {
        "Conv2D": {"bfloat16"},
        "Pooling": {"bfloat16"},
        "BatchNormalization": {"float32"},
        "Dense": {"float32"},
    }
    assert {str(weight.dtype) for weight in training_model.trainable_variables} == {"float32"}
    images = np.random.default_rng(0).random((5, 28, 28, 1), np.float32)
    logits = training_model(images)
    assert logits.dtype == "float32"
    model = build(unfolded)
    model.set_weights(training_model.get_weights())
    probabilities = np.asarray(model(images))
    exponentials = np.exp(np.asarray(logits))
    softmax = exponentials / exponentials.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(probabilities, softmax, atol=0.02)


def rates(recipe: Recipe, steps: int) -> Any:
    from mnist_tasks.training.model import build_optimizer

    rate = build_optimizer(recipe, steps=steps)._learning_rate
    return np.array([float(rate(step)) for step in range(steps)])


def test_the_learning_rate_rises_and_falls_once() -> None:
    recipe = replace(
        recipes.DEFAULT, learning_rate=2.0, warmup_fraction=0.25, final_learning_rate_fraction=0.5
    )
    found = rates(recipe, 100)
    assert found.argmax() == 25
    assert found[25] == pytest.approx(2.0)
    assert found[-1] == pytest.approx(1.0, abs=0.01)
    assert (np.diff(found[:25]) > 0).all()
    assert (np.diff(found[25:]) < 0).all()


@pytest.mark.parametrize("steps", [1, 2, 3])
@pytest.mark.parametrize("warmup_fraction", [0.0, 0.15, 0.9])
def test_the_shortest_training_has_a_schedule(steps: int, warmup_fraction: float) -> None:
    found = rates(replace(recipes.DEFAULT, warmup_fraction=warmup_fraction), steps)
    assert np.isfinite(found).all()
    assert found.max() > 0 or steps <= 2


def test_without_a_cycle_the_learning_rate_is_constant() -> None:
    from mnist_tasks.training.model import build_optimizer

    rate = build_optimizer(recipes.PLAIN, steps=10).learning_rate
    assert float(rate) == pytest.approx(0.01)
    only_down = rates(
        replace(
            recipes.DEFAULT,
            learning_rate=1.0,
            warmup_fraction=0.0,
            final_learning_rate_fraction=0.0,
        ),
        10,
    )
    assert only_down[0] == pytest.approx(1.0)
    assert (np.diff(only_down) < 0).all()


@pytest.mark.parametrize(
    ("shape", "fused"),
    [((8, 5, 5, 4), True), ((8, 5, 5, 4), False), ((6, 1, 1, 4), False), ((5, 3, 7, 4), False)],
)
def test_fast_normalization_computes_what_keras_does(
    shape: tuple[int, ...], fused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same output, gradients and moving statistics, during training and after it."""
    import keras
    import tensorflow as tf

    from mnist_tasks.training.normalization import FastBatchNormalization

    monkeypatch.setattr(tf.config, "get_visible_devices", lambda _: [1] if fused else [])
    images = np.random.default_rng(0).normal(3, 2, shape).astype(np.float32)
    results = []
    for kind in (keras.layers.BatchNormalization, FastBatchNormalization):
        layer = kind(momentum=0.8)
        layer.build(images.shape)
        layer.gamma.assign([1.0, 2.0, 3.0, 4.0])
        inputs = tf.constant(images)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = layer(inputs, training=True)
            loss = tf.reduce_sum(outputs**3)
        results.append(
            [
                outputs,
                *tape.gradient(loss, [inputs, layer.gamma.value, layer.beta.value]),
                layer.moving_mean,
                layer.moving_variance,
                layer(inputs, training=False),
            ]
        )
    for keras_found, found in zip(*results, strict=True):
        expected = np.asarray(keras_found)
        # The fused kernel divides the moving variance by n - 1, Keras by n. Sums of products round.
        rounding = 1e-4 * float(np.abs(expected).max())
        share, least = (0.01, 0.02) if fused else (1e-4, rounding)
        np.testing.assert_allclose(np.asarray(found), expected, rtol=share, atol=least)
