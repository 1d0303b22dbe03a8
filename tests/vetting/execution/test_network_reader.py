"""The operations that are read from a Keras model compute what it computes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from mnist_tasks.vetting import network
from mnist_tasks.vetting.execution import network_reader
from tests.vetting.arithmetic import compute

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("tensorflow")]
IMAGES = np.random.default_rng(0).random((4, 28, 28, 1), np.float32)


def with_random_weights(model: Any) -> Any:
    random = np.random.default_rng(1)
    for weight in model.weights:  # a variance must be positive
        weight.assign(random.uniform(0.05, 0.6, weight.shape))
    return model


def networks(library: Any) -> dict[str, Any]:
    """Return the layers of models that have every layer that is supported."""
    layers = library.layers
    return {
        "a recipe's": [
            layers.Conv2D(4, (5, 3), strides=2, activation="relu"),
            layers.BatchNormalization(),
            layers.AveragePooling2D(2),
            layers.Dropout(0.5),
            layers.Conv2D(6, 3, padding="same", strides=2, use_bias=False),
            layers.BatchNormalization(scale=False),
            layers.SpatialDropout2D(0.5),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ],
        "a small recipe's": [
            layers.Conv2D(4, 5, strides=2, activation="relu"),
            layers.SeparableConv2D(6, 3, strides=2, padding="same", activation="relu"),
            layers.SeparableConv2D(5, (2, 3), depth_multiplier=2, use_bias=False),
            layers.GlobalAveragePooling2D(keepdims=True),
            layers.Rescaling(0.01),  # softmax would be one-hot
            layers.Conv2D(7, 1, activation="relu"),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ],
        "others": [
            layers.Rescaling(2.0, offset=-1.0),
            layers.Conv2D(3, 4, strides=(1, 2), padding="same"),
            layers.ReLU(),
            layers.MaxPooling2D((3, 2), strides=(2, 1), padding="same"),
            layers.AveragePooling2D(3, strides=2, padding="same"),
            layers.Activation("linear"),
            layers.BatchNormalization(center=False),
            layers.GlobalMaxPooling2D(),
            layers.BatchNormalization(),
            layers.Dense(12, activation="relu"),
            layers.Reshape((2, 3, 2)),
            layers.GlobalAveragePooling2D(),
            layers.Dense(10, use_bias=False),
            layers.Softmax(),
        ],
        "layers as activations of others": [
            layers.Conv2D(4, 5, strides=3, activation=layers.ReLU()),
            layers.Activation(layers.ReLU()),
            layers.Rescaling(0.01, offset=-0.2),
            layers.Flatten(),
            layers.Dense(10, activation=layers.Softmax()),
        ],
    }


@pytest.mark.parametrize(
    "name", ["a recipe's", "a small recipe's", "others", "layers as activations of others"]
)
@pytest.mark.parametrize("library", ["keras", "tf_keras"])
def test_the_arithmetic_is_that_of_keras(library: str, name: str) -> None:
    keras = pytest.importorskip(library)
    model = with_random_weights(
        keras.Sequential([keras.Input((28, 28, 1)), *networks(keras)[name]])
    )
    found = network_reader.read(model)
    assert found.unsupported == []
    network.require_valid(found, (28, 28, 1), 10)
    expected = np.asarray(model(IMAGES, training=False))
    for image, probabilities in zip(IMAGES, expected, strict=True):
        computed = compute(found.operations, image.astype(np.float64)).ravel()
        np.testing.assert_allclose(computed, probabilities, rtol=0, atol=2e-6)
    assert expected.std() > 1e-3
    assert math.isclose(expected.sum(), 4, rel_tol=1e-5)


def test_a_functional_model_and_a_flat_input() -> None:
    import keras

    given = keras.Input((784,))
    hidden = keras.layers.Reshape((28, 28, 1))(given)
    hidden = keras.layers.Conv2D(2, 3, activation="relu")(hidden)
    output = keras.layers.Dense(10)(keras.layers.Flatten()(hidden))
    found = network_reader.read(keras.Model(given, output))
    assert found.unsupported == []
    network.require_valid(found, (784,), 10)


def unsupported(*layers: Any, shape: tuple[int, ...] = (28, 28, 1)) -> list[str]:
    import keras

    return network_reader.read(keras.Sequential([keras.Input(shape), *layers])).unsupported


def test_other_layers_are_named() -> None:
    import keras

    layers = keras.layers
    assert unsupported(
        layers.Conv2D(2, 3, activation="gelu"),
        layers.Conv2D(2, 3, activation=layers.LeakyReLU()),
        layers.Activation(layers.LeakyReLU()),
        layers.SeparableConv2D(2, 3, activation=layers.ReLU(negative_slope=0.1)),
        layers.Conv2D(2, 3, activation=layers.ReLU(dtype="float16")),
        layers.LayerNormalization(),
        layers.DepthwiseConv2D(3),
        layers.DepthwiseConv2D(3),
        layers.Conv2D(2, 3, dilation_rate=2),
        layers.SeparableConv2D(2, 3, dilation_rate=2),
        layers.ReLU(max_value=6),
        layers.BatchNormalization(axis=1),
        layers.MaxPooling2D(dtype="float16"),
        layers.Softmax(axis=1),
        layers.Dense(3),
        layers.Flatten(data_format="channels_first"),
    ) == [
        "Conv2D with gelu",
        "Conv2D with LeakyReLU",
        "Activation with LeakyReLU",
        "SeparableConv2D with a slope, a maximum or a threshold",
        "Conv2D in float16",
        "LayerNormalization",
        "DepthwiseConv2D",
        "Conv2D with groups or dilation",
        "SeparableConv2D with groups or dilation",
        "ReLU with a slope, a maximum or a threshold",
        "BatchNormalization over another axis, or renormalized",
        "MaxPooling2D in float16",
        "Softmax over another axis",
        "Dense on an image",
        "Flatten with channels first",
    ]
    assert unsupported(layers.LSTM(4), layers.Dense(10), shape=(28, 28)) == ["LSTM"]
    assert unsupported(layers.Flatten(), layers.Dense(700)) == ["more than 500,000 weights"]


def test_branches_are_named() -> None:
    import keras

    layers = keras.layers
    given = keras.Input((28, 28, 1))
    one = layers.Conv2D(2, 3, name="one")(given)
    other = layers.Conv2D(2, 3, name="other")(given)
    output = layers.Dense(10)(layers.Flatten()(layers.Add()([one, other])))
    assert network_reader.read(keras.Model(given, output)).unsupported == [
        "Conv2D outside of a single row of layers",
        "Add outside of a single row of layers",
    ]


def test_weights_that_overflow_are_not_finite_numbers() -> None:
    import keras

    model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.BatchNormalization()])
    model.layers[0].gamma.assign([3e38])
    model.layers[0].moving_variance.assign([0.0])
    with pytest.warns(RuntimeWarning, match="overflow"):
        assert network_reader.read(model).unsupported == ["weights that are too large for float32"]
