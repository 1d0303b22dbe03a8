"""The Keras model of a recipe, and the optimizer that trains it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import keras
from keras import layers

from mnist_tasks.dataset_info import MNIST, DatasetInfo
from mnist_tasks.training.layer_specs import (
    AveragePool,
    BatchNorm,
    Conv,
    Dropout,
    LayerSpec,
    MaxPool,
)
from mnist_tasks.training.normalization import FusedBatchNormalization
from mnist_tasks.training.recipes import Recipe, require_images

SMALLEST_FRACTION = 0.01  # of the peak learning rate, if the schedule ends with 0
# Averaging weights has the effect of a lower learning rate. Training on at the full one lost 0.8
# points of accuracy in the first 100 steps.
AVERAGED_FRACTION = 0.1


def build_model(recipe: Recipe, info: DatasetInfo = MNIST) -> keras.Sequential:
    """Build and compile the network of a recipe, as it is saved.

    Its optimizer is for whoever trains the saved model further: a new Adagrad with the learning
    rate that the schedule ended with, or a tenth of it if the weights are averaged.

    Returns
    -------
    model
        From images (n, h, w, channels) float32 in [0, 1] to probabilities (n, classes) float32.
    """
    model = _network(recipe, info, layers.BatchNormalization, activation="softmax")
    last = recipe.learning_rate * (recipe.final_learning_rate_fraction or SMALLEST_FRACTION)
    model.compile(
        optimizer=keras.optimizers.Adagrad(
            last * AVERAGED_FRACTION if recipe.ema_momentum else last
        ),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def build_training_model(
    recipe: Recipe, info: DatasetInfo = MNIST, *, precision: str = "float32"
) -> keras.Sequential:
    """Build the network as it is trained: without softmax, and with a faster normalization.

    Parameters
    ----------
    precision
        Keras dtype policy of the convolutions, the pooling and the dropout. All weights, the batch
        normalization and the logits are float32.

    Returns
    -------
    model
        From images (n, h, w, channels) float32 in [0, 1] to logits (n, classes) float32. It has the
        same weights as `build_model`, in the same order.
    """
    batch_norm = partial(
        FusedBatchNormalization,
        # Averaged weights get statistics of their own, see `normalization.recompute`.
        updates_statistics=not recipe.ema_momentum,
    )
    return _network(recipe, info, batch_norm, activation=None, precision=precision)


def build_optimizer(recipe: Recipe, *, steps: int) -> keras.optimizers.Optimizer:
    """Return Adagrad with a learning rate that rises and falls once.

    One cycle: L. N. Smith, "A disciplined approach to neural network hyper-parameters" (2018).
    Averaged weights: B. Polyak and A. Juditsky, "Acceleration of stochastic approximation by
    averaging" (1992).
    """
    warmup = round(recipe.warmup_fraction * steps)
    rate: Any = recipe.learning_rate
    if warmup or recipe.final_learning_rate_fraction != 1:
        rate = keras.optimizers.schedules.CosineDecay(
            initial_learning_rate=0.0 if warmup else rate,
            decay_steps=max(1, steps - warmup),
            alpha=recipe.final_learning_rate_fraction,
            warmup_target=rate if warmup else None,
            warmup_steps=warmup,
        )
    return keras.optimizers.Adagrad(
        rate,
        initial_accumulator_value=recipe.initial_accumulator_value,
        use_ema=recipe.ema_momentum > 0,
        ema_momentum=recipe.ema_momentum or 0.99,
    )


def _network(
    recipe: Recipe,
    info: DatasetInfo,
    batch_norm: Callable[..., keras.Layer],
    *,
    activation: str | None,
    precision: str = "float32",
) -> keras.Sequential:
    height, width, _ = info.image_shape
    require_images(recipe, height, width)
    return keras.Sequential(
        [
            keras.Input(info.image_shape, name="images"),
            *(_layer(spec, batch_norm, precision) for spec in recipe.layers),
            layers.Flatten(),
            layers.Dense(len(info.classes), activation=activation),
        ],
        name=recipe.name,
    )


def _layer(spec: LayerSpec, batch_norm: Callable[..., keras.Layer], precision: str) -> keras.Layer:
    match spec:
        case Conv():
            return layers.Conv2D(
                spec.filters,
                spec.kernel,
                strides=spec.stride,
                padding=spec.padding,
                activation="relu",
                dtype=precision,
            )
        case BatchNorm():
            return batch_norm(momentum=spec.momentum)
        case MaxPool():
            return layers.MaxPooling2D(spec.size, dtype=precision)
        case AveragePool():
            return layers.AveragePooling2D(spec.size, dtype=precision)
        case Dropout():
            maps = (None, 1, 1, None) if spec.whole_maps else None
            return layers.Dropout(spec.rate, noise_shape=maps, dtype=precision)
