"""The saved model computes what the trained network does, without its normalization."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from msgspec.structs import replace

from mnist_tasks.config import TrainingConfig
from mnist_tasks.data import store
from mnist_tasks.training import run
from mnist_tasks.training.layer_specs import (
    BatchNorm,
    Conv,
    Dropout,
    GlobalAveragePool,
    MaxPool,
    SeparableConv,
)
from mnist_tasks.training.recipe import Recipe

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("tensorflow")]
RECIPE = Recipe(
    name="folded",
    layers=(
        Conv(filters=5, kernel=3, batch_norm=True),
        MaxPool(),
        SeparableConv(filters=6, kernel=3, stride=2, padding="same", batch_norm=True),
        SeparableConv(filters=7, kernel=3),
        BatchNorm(),
        Conv(filters=8, kernel=3, padding="same"),
        GlobalAveragePool(),
        Conv(filters=9, kernel=1, batch_norm=True),
        Dropout(rate=0.1),
    ),
    batch_size=20,
    optimizer="sgd",
    learning_rate=0.1,
    weight_decay=1e-4,
    label_smoothing=0.9,
    max_rotation=5.0,
    max_shift=0.5,
    epochs=3,
    micro_batches=2,
)
# Of each layer: the kernels, the biases, and batch normalization with four numbers a channel.
PARAMETERS = [45 + 5, 45 + 30 + 6, 54 + 42 + 7, 28, 504 + 8, 72 + 9, 90 + 10]


def kinds(model: Any) -> list[str]:
    return [type(layer).__name__ for layer in model.layers]


def test_the_saved_model_is_the_trained_network() -> None:
    import keras

    from mnist_tasks.training.folding import folded_weights
    from mnist_tasks.training.model import build_model, build_training_model

    trained, saved = build_training_model(RECIPE), build_model(RECIPE)
    random = np.random.default_rng(0)
    trained.set_weights([random.uniform(0.1, 1, each.shape) for each in trained.get_weights()])
    saved.set_weights(folded_weights(trained))
    images = random.random((5, 28, 28, 1), np.float32)
    saved.layers[-1].activation = keras.activations.linear  # instead of softmax
    logits = np.asarray(trained(images))
    np.testing.assert_allclose(np.asarray(saved(images)), logits, rtol=1e-4)
    assert (logits.std(axis=0) > 1e-3 * logits.mean(axis=0)).all()  # images differ by more
    assert [layer.count_params() for layer in saved.layers if layer.weights] == PARAMETERS
    assert kinds(saved).count("BatchNormalization") == 1
    assert "ReLU" not in kinds(saved)
    assert kinds(trained).count("FastBatchNormalization") == 4


def test_convolutions_with_normalization_start_as_he_et_al_say() -> None:
    from mnist_tasks.training.model import build_training_model

    wide = replace(
        RECIPE,
        layers=(
            Conv(filters=64, kernel=5, batch_norm=True),
            Conv(filters=64, kernel=3, batch_norm=True),
            SeparableConv(filters=64, kernel=3, batch_norm=True),
        ),
    )
    first, second, third = (
        layer for layer in build_training_model(wide).layers if "Conv" in type(layer).__name__
    )
    assert not first.use_bias
    for kernel, inputs in (
        (first.kernel, 25),
        (second.kernel, 9 * 64),
        (third.depthwise_kernel, 9 * 64),
        (third.pointwise_kernel, 64),
    ):
        assert np.asarray(kernel).std() == pytest.approx((2 / inputs) ** 0.5, rel=0.1)


def test_a_run_saves_and_evaluates_the_folded_model(small_mnist: Path, tmp_path: Path) -> None:
    import keras

    from mnist_tasks.training.saving import predict

    config = TrainingConfig(recipe=RECIPE, validation=100, output=tmp_path / "m.h5")
    record = run.train(config, lambda: store.load(small_mnist, "train"))
    model = keras.models.load_model(config.output)
    assert type(model.optimizer).__name__ == "SGD"
    assert record.model.parameters == sum(PARAMETERS) == model.count_params()
    assert [layer.parameters for layer in record.network if layer.parameters] == PARAMETERS
    assert all(layer.operations is not None for layer in record.network)
    last = store.load(small_mnist, "train").last(100)
    correct = predict(config.output, last.images).argmax(axis=1) == last.labels
    assert record.epochs[-1].validation_accuracy == pytest.approx(correct.mean())
    assert record.recipe["layers"][0]["batch_norm"] is True
    # Trained on labels that are smoothed by 0.9, whose entropy is 2.26, but shown without.
    assert predict(config.output, last.images).max() < 0.5
    assert record.epochs[-1].loss < 2.26

    first = config.output.read_bytes()
    again = dataclasses.replace(config, validation=0, limit=412)  # the same images
    run.train(again, lambda: store.load(small_mnist, "train"))
    assert config.output.read_bytes() == first


def test_the_statistics_are_those_of_the_training_images_as_they_are(
    small_mnist: Path, tmp_path: Path
) -> None:
    import keras

    slow = replace(RECIPE, learning_rate=1e-9, epochs=1, max_scaling=0.5)
    config = TrainingConfig(recipe=slow, output=tmp_path / "m.h5")
    run.train(config, lambda: store.load(small_mnist, "train"))
    model = keras.models.load_model(config.output)
    first = model.layers[0]
    first.activation = keras.activations.linear
    images = np.array(store.load(small_mnist, "train").images, np.float32)[..., None] / 255
    normalized = np.asarray(first(images))
    np.testing.assert_allclose(normalized.mean(axis=(0, 1, 2)), 0, atol=1e-3)
    np.testing.assert_allclose(normalized.std(axis=(0, 1, 2)), 1, rtol=0.02)
