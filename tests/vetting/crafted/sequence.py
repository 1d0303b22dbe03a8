"""Recurrent layers, attention and functions of keras.ops that go past what is allowed of them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from tests.vetting.crafted.code import CODE, bytecode, lambda_layer
from tests.vetting.crafted.handmade import (
    call,
    dense,
    functional,
    input_layer,
    layer,
    sequential,
    write_keras,
)
from tests.vetting.crafted.row import Row, both, from_bytes
from tests.vetting.crafted.shape import ODD

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Config = dict[str, Any]


def _rows(kind: str, **settings: Any) -> Callable[[Path], Config]:
    inner = layer(kind, "recurrent", **{"units": 4, **settings})
    return lambda _canary: sequential(input_layer((28, 28)), inner, dense())


def _both_ways(inner: Callable[[Path], object], key: str = "layer") -> Callable[[Path], Config]:
    def make(canary: Path) -> Config:
        layers = {"layer": layer("LSTM", "forward", units=4), key: inner(canary)}
        return sequential(input_layer((28, 28)), layer("Bidirectional", "both", **layers), dense())

    return make


def _operation(
    kind: str, *more: object, module: str = "keras.src.ops.numpy", **settings: object
) -> Config:
    item = {**layer(kind, "operation"), "module": module, "registered_name": kind}
    item["config"] = {"name": "operation", **settings}
    item = call(item, "input_layer")
    item["inbound_nodes"][0]["args"] += more
    return functional([call(input_layer((4,))), item], ["input_layer"], ["operation"])


_NUMPY = {"class_name": "__numpy__", "config": {"value": [[0.5] * 4], "dtype": "float32"}}
_OPERATIONS: list[tuple[str, str, str, Config]] = [
    ("array", "hidden", "called on '__numpy__'", _operation("Add", _NUMPY)),
    ("list", "hidden", "more than one number", _operation("Add", [0.1, 0.2, 0.3, 0.4])),
    ("two_numbers", "hidden", "more than one number", _operation("Add", 1.0, 2.0)),
    ("text", ODD, "an input of a layer's call is os", _operation("Add", "os")),
    ("vast", "text", "more than 63 bits", _operation("Add", 10**30)),
    ("unknown", ODD, "has the class 'Einsum'", _operation("Einsum", subscripts="ij->ji")),
    ("reshape", ODD, "has the class 'Reshape'", _operation("Reshape", newshape=[28])),
    ("setting", ODD, "unsupported setting 'x2'", _operation("Add", x2=1.0)),
    (
        "private",
        ODD,
        "has the module 'keras.src.ops.operation'",
        _operation("Add", module="keras.src.ops.operation"),
    ),
    (
        "prefix",
        ODD,
        "has the module 'keras.src.ops.numpy.x'",
        _operation("Add", module="keras.src.ops.numpy.x"),
    ),
]

ROWS: list[Row] = [
    *(
        row
        for key in ("stateful", "unroll", "return_state", "time_major")
        for row in both(f"recurrent_{key}", ODD, f"has {key} set", _rows("LSTM", **{key: True}))
    ),
    *both(
        "recurrent_many",
        "bombs",
        "more than 250 layers",
        lambda _canary: sequential(
            input_layer((28, 28)),
            *(layer("LSTM", f"r{i}", units=4, return_sequences=True) for i in range(13)),
            dense(),
        ),
    ),
    *both("recurrent_stateful_word", ODD, "has stateful set", _rows("GRU", stateful="yes")),
    *both("recurrent_stateful_number", ODD, "has stateful set", _rows("GRU", stateful=2)),
    *both(
        "recurrent_activation_word",
        ODD,
        "'deserialize' as its recurrent_activation",
        _rows("LSTM", recurrent_activation="deserialize"),
    ),
    *both(
        "recurrent_cell",
        ODD,
        "unsupported setting 'cell'",
        _rows("LSTM", cell=layer("LSTMCell", "cell", units=4)),
    ),
    *both(
        "bidirectional_lambda",
        CODE,
        "has the class 'Lambda'",
        _both_ways(lambda canary: lambda_layer(bytecode(canary)), "backward_layer"),
    ),
    *both(
        "bidirectional_dense",
        ODD,
        "has the class 'Dense'",
        _both_ways(lambda _canary: dense(), "backward_layer"),
    ),
    *both(
        "bidirectional_stateful",
        ODD,
        "has stateful set",
        _both_ways(lambda _canary: layer("LSTM", "inner", units=4, stateful=True)),
    ),
    *(
        from_bytes(f"operation_{name}.keras", kind, reason, partial(write_keras, config))
        for name, kind, reason, config in _OPERATIONS
    ),
]
