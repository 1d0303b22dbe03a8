"""Descriptions that Keras would not write: one invalid key, value or reference each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.vetting.crafted.handmade import (
    call,
    dense,
    functional,
    input_layer,
    layer,
    sequential,
    small,
    write_h5,
    write_keras,
)
from tests.vetting.crafted.row import Row, both, from_bytes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Config = dict[str, Any]

ODD = "odd description"


def _layer(**keys: Any) -> Callable[[Path], Config]:
    """Add keys to a layer of the model, next to its config."""
    return lambda _canary: small({**layer("ReLU", "relu"), **keys})


def _setting(**settings: Any) -> Callable[[Path], Config]:
    return lambda _canary: small(layer("Reshape", "reshape", **settings))


def _model(**settings: Any) -> Callable[[Path], Config]:
    def make(_canary: Path) -> Config:
        model = small()
        model["config"].update(settings)
        return model

    return make


def _graph(edit: Callable[[Config], None]) -> Callable[[Path], Config]:
    """Edit the first call of a functional model's last layer."""

    def make(_canary: Path) -> Config:
        item = call(dense(), "input_layer", shape=(784,))
        edit(item["inbound_nodes"][0])
        return functional([call(input_layer((784,))), item], ["input_layer"], ["dense"])

    return make


def _outputs(value: object) -> Callable[[Path], Config]:
    def make(_canary: Path) -> Config:
        items = [call(input_layer((784,))), call(dense(), "input_layer", shape=(784,))]
        model = functional(items, ["input_layer"], ["dense"])
        model["config"]["output_layers"] = value
        return model

    return make


def _many(node: Config) -> None:
    node["args"] = [node["args"] * 65]


def _tensor_config(**keys: object) -> Callable[[Config], None]:
    return lambda node: node["args"][0]["config"].update(keys)


def _endless() -> Config:
    return small(layer("Rescaling", "rescaling", scale="SCALE", offset=0.0))


def _endless_text() -> str:
    return json.dumps(_endless()).replace('"SCALE"', "1e999")


_ODD_FUNCTION = {
    "module": "builtins",
    "class_name": "function",
    "config": "relu",
    "registered_name": "os.system",
}
_CASES: list[tuple[str, str, Callable[[Path], Config]]] = [
    ("model_setting", "has the unsupported setting 'call_fn'", _model(call_fn="x")),
    ("nodes_no_list", "inbound_nodes is not a list", _layer(inbound_nodes="x")),
    ("second_name", "has a second name", _layer(name="other")),
    ("layer_key", "has the unsupported key 'payload'", _layer(payload=1)),
    ("config_null", "has no config|is None", _layer(config=None)),
    (
        "initializer_no_config",
        "has no config",
        lambda _canary: small(dense(16, "d", kernel_initializer={"class_name": "Zeros"})),
    ),
    ("layer_compiles", "has a compile_config of its own", _layer(compile_config={"loss": "mse"})),
    ("object_as_number", "has an object as its use_bias", _setting(use_bias={"class_name": "A"})),
    ("list_deep", "a list is nested too deeply", _setting(target_shape=[[[[[[1]]]]]])),
    ("list_of_words", "has 'os' in its target_shape", _setting(target_shape=["os"])),
    ("list_long", "has a list of 9 values as its target_shape", _setting(target_shape=[1] * 9)),
    ("shapes_key", "build_config has the key", _layer(build_config={"\x1b": [1]})),
    ("shapes_object", "build_config contains an object", _layer(build_config={"a": {"b": 1}})),
    ("shapes_word", "contains an invalid shape", _layer(build_config={"input_shape": ["os"]})),
    ("shapes_negative", "contains an invalid shape", _layer(build_config={"input_shape": [-1]})),
    ("outputs_word", "are not a list of layers", _outputs("dense")),
    ("outputs_many", "are not a list of layers", _outputs([["dense", 0, 0]] * 65)),
    ("output_short", "invalid reference to a layer", _outputs([["dense", 0]])),
    ("output_index", "by an invalid index", _outputs([["dense", 10**9, 0]])),
    ("output_name", "is named", _outputs([["\x1b[2J", 0, 0]])),
    ("call_key", "keys other than args", _graph(lambda node: node.update(evil=1))),
    ("call_many", "more than 64 tensors", _graph(_many)),
    (
        "call_constant",
        "an input of a layer's call is 3",
        _graph(lambda node: node.update(args=[3])),
    ),
    ("tensor_key", "not as Keras writes it", _graph(_tensor_config(evil=1))),
    ("tensor_type", "as its dtype", _graph(_tensor_config(dtype="resource"))),
    ("tensor_shape", "list of 7 values as its batch_shape", _graph(_tensor_config(shape=[1] * 7))),
]

ROWS: list[Row] = [
    *both(
        "function_alias",
        ODD,
        "is registered as 'os.system'",
        lambda _canary: sequential(
            input_layer(), layer("Flatten", "f"), dense(activation=_ODD_FUNCTION)
        ),
        outcome="model-can-run-code",
    ),
    *(row for name, reason, config in _CASES for row in both(name, ODD, reason, config)),
    from_bytes("infinite.h5", ODD, "not a finite number", lambda: write_h5(_endless_text())),
    from_bytes(
        "infinite.keras",
        ODD,
        "not a finite number",
        lambda: write_keras(_endless_text().encode()),
    ),
]
