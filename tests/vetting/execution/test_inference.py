"""Inference gives a model each image alone: layers that no file may have show that it does."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mnist_tasks.check_records import Layer
from mnist_tasks.vetting.execution import each_alone, inference
from mnist_tasks.vetting.limits import DEFAULT
from mnist_tasks.vetting.protocol import InspectionResult, Options, Request

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("tensorflow"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

IMAGES = np.random.default_rng(0).integers(0, 256, (1_200, 28, 28), np.uint8)


Batch = Any  # of ten shares for each image


def by_neighbour(x: Batch) -> Batch:
    import tensorflow as tf

    return tf.roll(x, 1, 0)


def by_sum(x: Batch) -> Batch:
    import tensorflow as tf

    return x * 0.5 + tf.reduce_mean(x, 0, keepdims=True) * 0.5


def by_place(x: Batch) -> Batch:
    import tensorflow as tf

    odd = tf.reshape(tf.range(tf.shape(x)[0]) % 2 == 1, (-1, 1))
    return tf.where(odd, x[:, ::-1], x)


def by_batch_size(x: Batch) -> Batch:
    import tensorflow as tf

    return tf.where(tf.shape(x)[0] > 100, x[:, ::-1], x)


def by_integers(x: Batch) -> Batch:
    """Rank the images of a batch, through operations that have no derivative."""
    import tensorflow as tf

    ranks = tf.argsort(tf.argsort(x[:, 0]))
    return tf.where(tf.reshape(ranks % 2 == 1, (-1, 1)), x[:, ::-1], x)


def for_itself(x: Batch) -> Batch:
    return x[:, ::-1]


def check(layer: Callable[[Batch], Batch], folder: Path) -> tuple[InspectionResult, Any]:
    """Run inference, and return the result and the predictions for each image alone."""
    import keras

    class Identity(keras.layers.Layer):  # type: ignore[misc] # by its name: it costs nothing
        def call(self, x: Batch) -> Batch:
            return layer(x)

    keras.utils.set_random_seed(0)
    images = keras.Input((28, 28, 1))
    shares = keras.layers.Dense(10, "softmax")(keras.layers.Flatten()(images))
    model = keras.Model(images, Identity()(shares))
    np.save(folder / "images.npy", IMAGES)
    request = Request(
        model="model.keras",
        file_format="keras",
        sha256="ab" * 32,
        image_sets=[("test", str(folder / "images.npy"))],
        options=Options(),
        limits=replace(DEFAULT, cpu_seconds=1_000_000),  # this process ran other tests
        parent=0,
    )
    counted = InspectionResult(
        keras="",
        keras_version=None,
        layers=[Layer(name="all", kind="Dense", output_shape=(None, 784), parameters=7_850)],
        trainable=7_850,
        non_trainable=0,
        other_numbers=0,
        input_shapes=[(None, 28, 28, 1)],
        output_shapes=[(None, 10)],
        probabilities={},
        other_pixels={},
        no_predictions_reason=None,
        latency=[],
    )
    inputs = (IMAGES[..., None] / np.float32(255))[:50]
    alone = [np.asarray(model(inputs[number : number + 1])) for number in range(50)]
    return inference.predict(model, counted, request), np.concatenate(alone)


@pytest.mark.parametrize("layer", [by_neighbour, by_sum, by_place, by_batch_size, by_integers])
def test_a_model_that_depends_on_its_batch_is_not_measured(
    layer: Callable[[Batch], Batch], tmp_path: Path
) -> None:
    assert check(layer, tmp_path)[0].no_predictions_reason == inference.DEPENDS_ON_OTHERS


@pytest.mark.parametrize(
    "layer", [by_neighbour, by_sum, by_place, by_batch_size, by_integers, for_itself]
)
def test_what_is_measured_is_the_prediction_for_an_image_alone(
    layer: Callable[[Batch], Batch], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the comparison with batches, which sees only a sample."""
    monkeypatch.setattr(inference, "_OTHER_BATCH_SIZES", ())
    result, alone = check(layer, tmp_path)
    found = np.frombuffer(result.probabilities["test"], "f4").reshape(-1, 10)
    np.testing.assert_allclose(found[:50], alone, rtol=0, atol=1e-5)


def test_a_model_of_chance_is_not_measured(tmp_path: Path) -> None:
    import tensorflow as tf

    result, _ = check(lambda x: x + tf.random.uniform((1, 10)), tmp_path)
    assert result.no_predictions_reason == inference.HAS_STATE


def test_a_model_that_counts_its_calls_is_not_measured(tmp_path: Path) -> None:
    import tensorflow as tf

    calls = tf.Variable(0)

    def by_earlier_calls(x: Batch) -> Batch:
        with tf.control_dependencies([calls.assign_add(1)]):
            return tf.where(calls % 2 == 1, x[:, ::-1], x)

    def by_its_sum(x: Batch) -> Batch:
        return x + tf.cast(calls.assign_add(1), "float32")

    for layer in (by_earlier_calls, by_its_sum):
        result, _ = check(layer, tmp_path)
        assert result.no_predictions_reason == inference.HAS_STATE


def test_statistics_that_change_with_each_call_are_state(tmp_path: Path) -> None:
    import tf_keras

    images = tf_keras.Input((28, 28, 1))
    x = tf_keras.layers.Dense(10)(tf_keras.layers.Flatten()(images))
    x = tf_keras.layers.BatchNormalization()(x, training=True)
    model = tf_keras.Model(images, x)
    assert each_alone.function(model, (28, 28, 1)) is None
