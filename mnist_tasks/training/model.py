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
    GlobalAveragePool,
    LayerSpec,
    MaxPool,
    SeparableConv,
    require_images,
)
from mnist_tasks.training.normalization import FastBatchNormalization
from mnist_tasks.training.recipe import Recipe
from mnist_tasks.training.weights import OTHERS, WITHOUT_DECAY

SMALLEST_FRACTION = 0.01  # of the peak learning rate, if the schedule ends with 0
# Averaging weights has the effect of a lower learning rate. Training on at the full one lost 0.8
# points of accuracy in the first 100 steps.
AVERAGED_FRACTION = 0.1
_KERNELS_ONLY = [rf"\b({'|'.join((*WITHOUT_DECAY, OTHERS))})(:\d+)?$"]


def build_model(recipe: Recipe, info: DatasetInfo = MNIST) -> keras.Sequential:
    """Build and compile the network of a recipe, as it is saved.

    Its optimizer is for whoever trains the saved model further: that of the recipe, without a
    state, and with the learning rate that the schedule ended with, or a tenth of it if the weights
    are averaged. Normalization in convolutions is folded: see `folding`.

    Returns
    -------
    model
        From images (n, h, w, channels) float32 in [0, 1] to probabilities (n, classes) float32.
    """
    model = _network(recipe, info, activation="softmax", layers_of=_saved)
    last = recipe.learning_rate * (recipe.final_learning_rate_fraction or SMALLEST_FRACTION)
    model.compile(
        optimizer=_optimizer(recipe, last * AVERAGED_FRACTION if recipe.ema_momentum else last),
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
        same weights as `build_model`, in the same order, if there is no normalization to fold.
    """
    return _network(recipe, info, activation=None, layers_of=partial(_trained, recipe, precision))


def build_optimizer(recipe: Recipe, *, steps: int) -> keras.optimizers.Optimizer:
    """Return the optimizer of a recipe, with a learning rate that rises and falls once.

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
    others: dict[str, Any] = {
        "use_ema": recipe.ema_momentum > 0,
        "ema_momentum": recipe.ema_momentum or 0.99,
    }
    if recipe.optimizer == "adagrad":
        others["initial_accumulator_value"] = recipe.initial_accumulator_value
    optimizer = _optimizer(recipe, rate, **others)
    optimizer.exclude_from_weight_decay(var_names=_KERNELS_ONLY)
    return optimizer


def _optimizer(recipe: Recipe, rate: Any, **others: Any) -> keras.optimizers.Optimizer:
    """Return the optimizer of a recipe with a learning rate or a schedule.

    Weight decay: I. Loshchilov and F. Hutter, "Decoupled weight decay regularization" (2019).
    """
    decay = recipe.weight_decay
    match recipe.optimizer:
        case "sgd":
            others |= {"momentum": recipe.momentum, "nesterov": recipe.momentum > 0}
            return keras.optimizers.SGD(rate, weight_decay=decay or None, **others)
        case "adamw":
            return keras.optimizers.AdamW(rate, weight_decay=decay, **others)
        case "adagrad":
            return keras.optimizers.Adagrad(rate, weight_decay=decay or None, **others)


def _network(
    recipe: Recipe,
    info: DatasetInfo,
    *,
    activation: str | None,
    layers_of: Callable[[LayerSpec], list[keras.Layer]],
) -> keras.Sequential:
    height, width, _ = info.image_shape
    require_images(recipe.layers, recipe.name, height, width)
    return keras.Sequential(
        [
            keras.Input(info.image_shape, name="images"),
            *(layer for spec in recipe.layers for layer in layers_of(spec)),
            layers.Flatten(),
            layers.Dense(len(info.classes), activation=activation),
        ],
        name=recipe.name,
    )


def _saved(spec: LayerSpec) -> list[keras.Layer]:
    """Return the one layer of the saved model."""
    if isinstance(spec, BatchNorm):
        return [layers.BatchNormalization(momentum=spec.momentum)]
    return [_layer(spec, activation="relu")]


def _trained(recipe: Recipe, precision: str, spec: LayerSpec) -> list[keras.Layer]:
    """Return the layers that are trained: three in place of a convolution with normalization."""
    batch_norm = partial(
        FastBatchNormalization, updates_statistics=not recipe.recomputes_statistics
    )
    if isinstance(spec, BatchNorm):
        return [batch_norm(momentum=spec.momentum)]
    if isinstance(spec, Conv | SeparableConv) and spec.batch_norm:
        starts = ("kernel",) if isinstance(spec, Conv) else ("depthwise", "pointwise")
        initializers = {f"{name}_initializer": "he_normal" for name in starts}
        return [
            _layer(spec, dtype=precision, use_bias=False, **initializers),
            batch_norm(),
            layers.ReLU(dtype=precision),
        ]
    return [_layer(spec, dtype=precision, activation="relu")]


def _layer(spec: LayerSpec, *, dtype: str = "float32", **of_convolution: Any) -> keras.Layer:
    """Return a layer as Keras has it; `of_convolution` is for convolutions only."""
    match spec:
        case Conv() | SeparableConv():
            kind = layers.Conv2D if isinstance(spec, Conv) else layers.SeparableConv2D
            return kind(
                spec.filters,
                spec.kernel,
                strides=spec.stride,
                padding=spec.padding,
                dtype=dtype,
                **of_convolution,
            )
        case MaxPool():
            return layers.MaxPooling2D(spec.size, dtype=dtype)
        case AveragePool():
            return layers.AveragePooling2D(spec.size, dtype=dtype)
        case GlobalAveragePool():
            return layers.GlobalAveragePooling2D(keepdims=True, dtype=dtype)
        case Dropout():
            maps = (None, 1, 1, None) if spec.whole_maps else None
            return layers.Dropout(spec.rate, noise_shape=maps, dtype=dtype)
    raise TypeError(spec)
