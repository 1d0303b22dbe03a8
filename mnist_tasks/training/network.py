"""The Keras model of a recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mnist_tasks.training.recipes import (
    AveragePool,
    BatchNorm,
    Conv,
    Dropout,
    LayerSpec,
    MaxPool,
    Recipe,
)

if TYPE_CHECKING:
    import keras

DIGITS = 10


def build(recipe: Recipe) -> keras.Sequential:
    """Build and compile the network of a recipe, as it is saved.

    Returns
    -------
    model
        From images (n, 28, 28, 1) float32 in [0, 1] to probabilities (n, 10) float32.
    """
    import keras

    model = _network(recipe, activation="softmax")
    model.compile(
        optimizer=keras.optimizers.Adagrad(
            recipe.learning_rate, initial_accumulator_value=recipe.accumulator
        ),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def build_trainee(recipe: Recipe) -> keras.Sequential:
    """Build the same network without its softmax, whose loss is the more exact from logits.

    Returns
    -------
    model
        From images (n, 28, 28, 1) float32 in [0, 1] to logits (n, 10) float32.
    """
    return _network(recipe, activation=None)


def _network(recipe: Recipe, *, activation: str | None) -> keras.Sequential:
    import keras

    layers = [
        keras.Input((28, 28, 1), name="images"),
        *(_layer(spec) for spec in recipe.layers),
        keras.layers.Flatten(),
        keras.layers.Dense(DIGITS, activation=activation),
    ]
    return keras.Sequential(layers, name=recipe.name)


def _layer(spec: LayerSpec) -> keras.Layer:
    from keras import layers

    match spec:
        case Conv():
            return layers.Conv2D(
                spec.filters,
                spec.kernel,
                strides=spec.stride,
                padding=spec.padding,
                activation="relu",
            )
        case BatchNorm():
            return layers.BatchNormalization(momentum=spec.momentum)
        case MaxPool():
            return layers.MaxPooling2D(spec.size)
        case AveragePool():
            return layers.AveragePooling2D(spec.size)
        case Dropout():
            return layers.Dropout(spec.rate)
