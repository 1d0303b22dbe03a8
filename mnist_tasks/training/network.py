"""The Keras model of a recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mnist_tasks.training.recipes import BatchNorm, Conv, Dropout, LayerSpec, MaxPool, Recipe

if TYPE_CHECKING:
    import keras

DIGITS = 10


def build(recipe: Recipe, *, steps: int) -> keras.Sequential:
    """Build and compile the network of a recipe.

    Parameters
    ----------
    steps
        Of the whole training: the schedule's length.

    Returns
    -------
    model
        From images (n, 28, 28, 1) float32 in [0, 1] to probabilities (n, 10) float32.
    """
    import keras

    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            *(_layer(spec) for spec in recipe.layers),
            keras.layers.Flatten(),
            keras.layers.Dense(DIGITS, activation="softmax"),
        ],
        name=recipe.name,
    )
    model.compile(
        optimizer=keras.optimizers.Adagrad(
            _schedule(recipe, steps), initial_accumulator_value=recipe.accumulator
        ),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def _schedule(recipe: Recipe, steps: int) -> Any:
    """Return one cycle: up to the peak in a straight line, down along a half cosine.

    L. N. Smith, "A disciplined approach to neural network hyper-parameters" (2018).
    """
    import keras

    if recipe.constant:
        return recipe.learning_rate
    warmup = round(recipe.warmup * steps)
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0,
        decay_steps=max(1, steps - warmup),
        warmup_target=recipe.learning_rate,
        warmup_steps=max(1, warmup),
    )


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
        case Dropout():
            return layers.Dropout(spec.rate)
