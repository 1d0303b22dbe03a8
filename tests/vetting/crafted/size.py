"""Files that need too much, hide numbers from the parameter count, or don't fit the data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tests.vetting.crafted.handmade import (
    call,
    dense,
    functional,
    input_layer,
    layer,
    sequential,
    small,
    small_weights,
)
from tests.vetting.crafted.row import CONTRACT_FAILED, PASSED, Row, both

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def _always(config: Any) -> Callable[[Path], Any]:
    return lambda _canary: config


def _stack(count: int) -> Any:
    return small(*(layer("Dropout", f"d{number}", rate=0.1) for number in range(count)))


def _nested(depth: int) -> Any:
    inner = sequential(layer("Flatten", "f"), name="m0")
    for number in range(1, depth):
        inner = sequential(inner, name=f"m{number}")
    return small(inner)


def _unrolled(levels: int, calls: int) -> Any:
    """Nest models that each call the inner one many times: `calls` to the power of `levels`."""
    inner = layer("ReLU", "relu")
    for number in range(levels):
        item = call(inner, "input_layer")
        item["inbound_nodes"] = item["inbound_nodes"] * calls
        layers = [call(input_layer((4,))), item]
        inner = functional(layers, ["input_layer"], [item["name"]], name=f"m{number}")
    return inner


def _constant(where: str) -> Any:
    """Pass weights as a constant that a layer is called on."""
    value = {"class_name": where, "config": {"value": [[0.5] * 4], "dtype": "float32"}}
    item = call(layer("Add", "add"), "input_layer")
    item["inbound_nodes"][0]["args"] = [[*item["inbound_nodes"][0]["args"], value]]
    return functional([call(input_layer((4,))), item], ["input_layer"], ["add"])


def _initializer(values: list[float]) -> Any:
    return {
        "module": "keras.initializers",
        "class_name": "Constant",
        "config": {"value": values},
        "registered_name": None,
    }


def _attention(steps: int) -> Any:
    item = call(layer("MultiHeadAttention", "attention", num_heads=8, key_dim=8), "input_layer")
    item["inbound_nodes"][0]["args"] *= 2  # query and value
    return functional(
        [
            call(input_layer((steps, 1))),
            item,
            call(layer("Flatten", "flatten"), "attention"),
            call(dense(), "flatten"),
        ],
        ["input_layer"],
        ["dense"],
    )


_FLAT = layer("Flatten", "flatten")
_TWO_INPUTS = functional(
    [
        call(input_layer(name="a")),
        call(input_layer(name="b")),
        call(layer("Add", "add"), "a", "b", shape=(28, 28, 1)),
        call(_FLAT, "add", shape=(28, 28, 1)),
        call(dense(), "flatten", shape=(784,)),
    ],
    ["a", "b"],
    ["dense"],
)
_WIDE = {"dense": {"kernel": np.zeros((784, 10), "f4"), "bias": np.zeros(10, "f4")}}
_NONE: dict[str, Any] = {}
_NUMBERS = "its layers output .* numbers, which exceeds the limit"
_OPERATIONS = "one image takes .* operations"
_INTEGERS = layer("Rescaling", "x", scale=1.0, offset=0.0)


def _pooled(*layers: Any) -> Any:
    return sequential(
        input_layer(), *layers, layer("GlobalAveragePooling2D", "pooled"), dense(name="dense")
    )


#: 250 x 784 numbers times their transpose: each of 62,500 numbers sums up 784 products.
_CONTRACTION = functional(
    [
        call(input_layer((784,))),
        call(layer("RepeatVector", "rows", n=250), "input_layer", shape=(784,)),
        call(layer("Dot", "dot", axes=[2, 2]), "rows", "rows", shape=(250, 784)),
        call(layer("GlobalAveragePooling1D", "pool"), "dot", shape=(250, 250)),
        call(dense(), "pool", shape=(250,)),
    ],
    ["input_layer"],
    ["dense"],
)
#: Too many for the parameters that its last layer may have, too, so it ends in a pooling.
_FAN = functional(
    [
        call(input_layer((784,))),
        call(layer("Concatenate", "a", axis=-1), *["input_layer"] * 60, shape=(784,)),
        call(layer("Concatenate", "b", axis=-1), *["a"] * 60, shape=(47_040,)),
        call(layer("Reshape", "r", target_shape=[282_240, 10]), "b", shape=(2_822_400,)),
        call(layer("GlobalAveragePooling1D", "pool"), "r", shape=(282_240, 10)),
    ],
    ["input_layer"],
    ["pool"],
)


def _keras(
    name: str, kind: str, reason: str, config: Any, weights: dict[str, Any] | None, code: int
) -> list[Row]:
    return both(
        name, kind, reason, _always(config), weights=weights, exit_code=code, needs_keras=True
    )


def _too_much(name: str, reason: str, config: Any) -> list[Row]:
    return _keras(name, "too big", reason, config, small_weights(), CONTRACT_FAILED)


ROWS = [
    *both("thousand_layers", "bombs", "more than 250 layers", _always(_stack(1000))),
    *both("nested_models", "bombs", "nested more than 8 deep", _always(_nested(12))),
    *both("unrolled_calls", "bombs", "more than 250 layers", _always(_unrolled(4, 10))),
    *both("called_often", "bombs", "more than 250 layers", _always(_unrolled(1, 1000))),
    *both("constant_tensor", "hidden", "called on '__tensor__'", _always(_constant("__tensor__"))),
    *both("constant_numpy", "hidden", "called on '__numpy__'", _always(_constant("__numpy__"))),
    *both(
        "constant_initializer",
        "hidden",
        "list of 40 values as its value",
        _always(small(dense(4, "d", kernel_initializer=_initializer([0.5] * 40)))),
    ),
    *both(
        "constant_rescaling",
        "hidden",
        "list of 16 values as its scale",
        _always(small(layer("Rescaling", "r", scale=[0.5] * 16, offset=0.0))),
    ),
    *both(
        "constant_normalization",
        "hidden",
        "list of 16 values as its mean",
        _always(small(layer("Normalization", "n", axis=-1, mean=[0.5] * 16, variance=[1.0] * 16))),
    ),
    *both(
        "number_vast",
        "text",
        "more than 63 bits",
        _always(small(dense(10**30, "d"))),
    ),
    *both(
        "terminal_escape_name",
        "text",
        r"is named '\\x1b\]0;pwned\\x07'",
        _always(small(layer("ReLU", "\x1b]0;pwned\x07"))),
    ),
    *both("endless_name", "text", "is named 'aaa", _always(small(layer("ReLU", "a" * 100_000)))),
    *both(
        "terminal_escape_class",
        "text",
        r"\\x1b\[2J",
        _always(small(layer("\x1b[2J", "x"))),
    ),
    *both("no_layers", "corrupt", "no list of layers", _always(sequential())),
    *_keras(
        "giant_dense",
        "too big",
        "its 397,500,000,010 parameters exceed the limit",
        sequential(input_layer(), _FLAT, dense(500_000_000, "big"), dense()),
        small_weights(),
        CONTRACT_FAILED,
    ),
    *_keras(
        "giant_count",
        "too big",
        "parameters exceed the limit",
        sequential(input_layer(), _FLAT, dense(10**12, "big"), dense()),
        small_weights(),
        CONTRACT_FAILED,
    ),
    *_keras(
        "giant_output",
        "too big",
        r"its layers output 784,00.,\d+ numbers, which exceeds the limit",
        sequential(
            input_layer(),
            layer("UpSampling2D", "up", size=[1000, 1000], interpolation="nearest"),
            layer("GlobalAveragePooling2D", "pool"),
            dense(),
        ),
        small_weights(),
        CONTRACT_FAILED,
    ),
    *_keras(
        "endless_work",
        "too big",
        "one image takes .* operations",
        sequential(
            input_layer(),
            layer("UpSampling2D", "up", size=[25, 25], interpolation="nearest"),
            layer("Conv2D", "conv", filters=1, kernel_size=[99, 99], strides=[1, 1]),
            layer("GlobalAveragePooling2D", "pool"),
            dense(),
        ),
        small_weights(),
        CONTRACT_FAILED,
    ),
    *_too_much(
        "vast_pooling",
        _OPERATIONS,
        _pooled(layer("MaxPooling2D", "x", pool_size=[999, 999], strides=[1, 1], padding="same")),
    ),
    *_too_much(
        "vast_kernel",
        _OPERATIONS,
        _pooled(layer("Conv2D", "x", filters=1, kernel_size=[999, 999], padding="same")),
    ),
    *_too_much(
        "vast_dilation",
        _OPERATIONS,
        _pooled(
            layer("UpSampling2D", "up", size=[20, 20]),
            layer(
                "Conv2D", "x", filters=1, kernel_size=[9, 9], dilation_rate=[99, 99], padding="same"
            ),
        ),
    ),
    *_too_much("long_contraction", _OPERATIONS, _CONTRACTION),
    *_too_much(
        "adaptive_rows",
        _NUMBERS,
        _pooled(layer("AdaptiveAveragePooling2D", "x", output_size=[200_000, 1])),
    ),
    *_too_much(
        "padded_image",
        _NUMBERS,
        _pooled(layer("Resizing", "x", height=1, width=2000, pad_to_aspect_ratio=True)),
    ),
    *_too_much(
        "upsampling_chain",
        _NUMBERS,
        _pooled(*(layer("UpSampling2D", f"u{number}", size=[9, 9]) for number in range(9))),
    ),
    *_too_much(
        "repeated_vector",
        _NUMBERS,
        small(layer("RepeatVector", "x", n=10**6), layer("GlobalAveragePooling1D", "p")),
    ),
    *_keras("wide_fan", "too big", _NUMBERS, _FAN, _NONE, CONTRACT_FAILED),
    *_keras(
        "integers",
        "hidden",
        "layer 'x' computes with int32",
        small({**_INTEGERS, "config": {**_INTEGERS["config"], "dtype": "int32"}}),
        small_weights(),
        3,
    ),
    *_keras("sound_240_layers", "sound, at a limit", "^$", _stack(236), small_weights(), PASSED),
    *_keras(
        "large_attention",
        "too big",
        "one image",
        _attention(784),
        small_weights(),
        CONTRACT_FAILED,
    ),
    *_keras(
        "two_inputs", "wrong shape", "2 inputs and 1 outputs", _TWO_INPUTS, _WIDE, CONTRACT_FAILED
    ),
    *_keras(
        "wrong_input",
        "wrong shape",
        "it takes images of 32 x 32 pixels",
        sequential(input_layer((32, 32, 3)), layer("GlobalAveragePooling2D", "pool"), dense()),
        {"dense": {"kernel": np.zeros((3, 10), "f4"), "bias": np.zeros(10, "f4")}},
        CONTRACT_FAILED,
    ),
    *_keras(
        "wrong_output",
        "wrong shape",
        r"output has the shape \(None, 16\)",
        sequential(input_layer(), layer("AveragePooling2D", "pool", pool_size=[7, 7]), _FLAT),
        _NONE,
        CONTRACT_FAILED,
    ),
    *_keras(
        "weights_do_not_fit",
        "corrupt",
        "can't load the weights|it contains 7,850 weights",
        small(),
        _WIDE,
        3,
    ),
    *_keras(
        "weights_absent",
        "corrupt",
        "load the weights|it contains 0 weights",
        small(),
        _NONE,
        3,
    ),
    *_keras(
        "layers_do_not_fit",
        "odd description",
        "can't build the model",
        sequential(input_layer((28, 28, 1)), layer("Reshape", "r", target_shape=[5, 5]), dense()),
        small_weights(),
        3,
    ),
]
