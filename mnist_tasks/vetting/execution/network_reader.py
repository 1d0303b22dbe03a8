"""Read the arithmetic of a loaded Keras model: see `vetting.network`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mnist_tasks.check_records import Shape
from mnist_tasks.vetting import network
from mnist_tasks.vetting.execution import keras_model
from mnist_tasks.vetting.network import (
    Activation,
    Convolution,
    Dense,
    Network,
    Operation,
    Pooling,
    Reshape,
    Scaling,
    Sizes,
)
from mnist_tasks.vetting.untrusted_text import sanitize

_NOTHING = {"InputLayer", "Dropout", "SpatialDropout2D"}  # when it predicts
_FLOATS = {"float32", "float64", "None"}


class _UnsupportedError(Exception):
    """What is not supported about a layer."""


def read(model: Any) -> Network:
    """Return the operations of a model, or the names of its layers that none can represent.

    Recipes consist of the layers that are supported, in a row.
    """
    operations: list[Operation] = []
    unsupported: list[str] = []
    tensor = None
    for layer, inputs, outputs in keras_model.calls(model):
        try:
            operations += _operations(layer, inputs, outputs, last=tensor)
        except _UnsupportedError as error:
            unsupported.append(sanitize(f"{type(layer).__name__} {error}".strip(), limit=80))
        tensor = outputs[0]
    weights = network.weights(operations)
    if len(weights) > network.MOST_NUMBERS:
        unsupported.append(f"more than {network.MOST_NUMBERS:,} weights")
    if not np.isfinite(weights).all():  # the product of two in batch normalization
        unsupported.append("weights that are too large for float32")
    unsupported = list(dict.fromkeys(unsupported))
    return Network(operations=[] if unsupported else operations, unsupported=unsupported)


def _operations(layer: Any, inputs: list[Any], outputs: list[Any], last: Any) -> list[Operation]:
    """Return the operations of a layer that follows the one with the output `last`."""
    kind = type(layer).__name__
    if len(outputs) != 1 or any(each is not last for each in inputs):
        raise _UnsupportedError("outside of a single row of layers")
    if kind in _NOTHING:
        return []
    given = tuple(inputs[0].shape)
    if kind not in {"Flatten", "Reshape", *_READERS}:
        raise _UnsupportedError
    _require_float(layer)
    if getattr(layer, "data_format", None) == "channels_first":
        raise _UnsupportedError("with channels first")
    if kind in {"Flatten", "Reshape"}:
        return [Reshape(shape=_sizes(tuple(outputs[0].shape)))]
    if len(given) not in (2, 4):  # of others, `Sizes` doesn't say where the channels are
        raise _UnsupportedError(f"with an input of the shape {given}")
    return _READERS[kind](layer, given)


def _require_float(layer: Any) -> None:
    dtype = str(getattr(layer, "compute_dtype", None))
    if dtype not in _FLOATS:
        raise _UnsupportedError(f"in {dtype}")


def _convolution(layer: Any, given: Shape) -> list[Operation]:
    if getattr(layer, "groups", 1) != 1 or tuple(layer.dilation_rate) != (1, 1):
        raise _UnsupportedError("with groups or dilation")
    kernel = _separable(layer) if "Separable" in type(layer).__name__ else np.asarray(layer.kernel)
    convolution = Convolution(
        size=kernel.shape[:2],
        strides=tuple(layer.strides),
        same=layer.padding == "same",
        filters=kernel.shape[3],
        kernel=_bytes(kernel),
        bias=_bias(layer, kernel),
    )
    return [convolution, *_activation(layer, given)]


def _separable(layer: Any) -> Any:
    """Return the kernel of the convolution that does what a separable one does in two steps."""
    depthwise = np.asarray(layer.depthwise_kernel, "f8")  # (height, width, channels, multiplier)
    pointwise = np.asarray(layer.pointwise_kernel, "f8")[0, 0]  # (channels * multiplier, filters)
    mixed = pointwise.reshape(*depthwise.shape[2:], -1)
    return np.einsum("hwcm,cmf->hwcf", depthwise, mixed)


def _dense(layer: Any, given: Shape) -> list[Operation]:
    if len(given) != 2:
        raise _UnsupportedError("on an image")
    kernel = np.asarray(layer.kernel)
    dense = Dense(units=kernel.shape[1], kernel=_bytes(kernel), bias=_bias(layer, kernel))
    return [dense, *_activation(layer, given)]


def _pooling(layer: Any, given: Any) -> list[Operation]:
    kind = type(layer).__name__
    if kind.startswith("Global"):
        size, strides, same = given[1:3], given[1:3], False
    else:
        size, strides, same = layer.pool_size, layer.strides, layer.padding == "same"
    pooling = Pooling(
        function="max" if "Max" in kind else "average",
        size=tuple(size),
        strides=tuple(strides),
        same=same,
    )
    return [pooling]


def _normalization(layer: Any, given: Shape) -> list[Operation]:
    """Return batch normalization with its running statistics as one factor and one summand."""
    axis = layer.axis if isinstance(layer.axis, int) else layer.axis[0]  # a list in Keras 2
    expected = 2 + bool(layer.scale) + bool(layer.center)
    if axis not in (-1, len(given) - 1) or len(layer.weights) != expected:
        raise _UnsupportedError("over another axis, or renormalized")
    factors = 1 / np.sqrt(np.asarray(layer.moving_variance, "f8") + layer.epsilon)
    if layer.scale:
        factors = factors * np.asarray(layer.gamma, "f8")
    summands = -np.asarray(layer.moving_mean, "f8") * factors
    if layer.center:
        summands = summands + np.asarray(layer.beta, "f8")
    return [Scaling(factors=_bytes(factors), summands=_bytes(summands))]


def _rescaling(layer: Any, given: Shape) -> list[Operation]:
    ones = np.ones(_sizes(given)[2])
    return [Scaling(factors=_bytes(ones * layer.scale), summands=_bytes(ones * layer.offset))]


def _relu(layer: Any, _: Shape) -> list[Operation]:
    if layer.max_value is not None or layer.negative_slope or layer.threshold:
        raise _UnsupportedError("with a slope, a maximum or a threshold")
    return [Activation(function="relu")]


def _softmax(layer: Any, given: Shape) -> list[Operation]:
    if layer.axis not in (-1, len(given) - 1):
        raise _UnsupportedError("over another axis")
    return [Activation(function="softmax")]


def _activation(layer: Any, given: Shape) -> list[Operation]:
    """Return the activation of a layer: a function, or a layer of its own."""
    activation = layer.activation
    match getattr(activation, "__name__", type(activation).__name__):
        case "linear" | "NoneType":
            return []
        case "relu" | "softmax" as function:
            return [Activation(function=function)]
        case "ReLU" | "Softmax" as kind:
            _require_float(activation)
            return _READERS[kind](activation, given)
        case name:
            raise _UnsupportedError(f"with {name}")


_READERS: dict[str, Callable[[Any, Shape], list[Operation]]] = {
    "Activation": _activation,
    "AveragePooling2D": _pooling,
    "BatchNormalization": _normalization,
    "Conv2D": _convolution,
    "Dense": _dense,
    "GlobalAveragePooling2D": _pooling,
    "GlobalMaxPooling2D": _pooling,
    "MaxPooling2D": _pooling,
    "ReLU": _relu,
    "Rescaling": _rescaling,
    "SeparableConv2D": _convolution,
    "Softmax": _softmax,
}


def _sizes(shape: Shape) -> Sizes:
    """Return the shape of a batch as height, width and channels."""
    try:
        return network.sizes(shape[1:])
    except ValueError as error:
        raise _UnsupportedError(f"with the shape {shape}") from error


def _bytes(array: Any) -> bytes:
    return np.asarray(array, "<f4").tobytes()


def _bias(layer: Any, kernel: Any) -> bytes:
    return _bytes(layer.bias) if layer.use_bias else bytes(4 * kernel.shape[-1])
