"""Files that try to run code, read files or use the network, in every way that Keras offers."""

from __future__ import annotations

import codecs
import marshal
from typing import TYPE_CHECKING, Any

from tests.vetting.crafted.handmade import (
    call,
    dense,
    functional,
    input_layer,
    layer,
    sequential,
    small,
)
from tests.vetting.crafted.row import Row, both

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Config = dict[str, Any]

CODE = "code"
UNSUPPORTED: Any = {"outcome": "model-unsupported"}


def payload(canary: Path) -> dict[str, Any]:
    """Compile a function that creates the canary file."""
    space: dict[str, Any] = {}
    exec(f"def run(x):\n    open({str(canary)!r}, 'w').close()\n    return x", space)  # noqa: S102
    code = codecs.encode(marshal.dumps(space["run"].__code__), "base64").decode("ascii")
    return {"code": code, "defaults": None, "closure": None}


def bytecode(canary: Path) -> Config:
    """Describe a function as Keras does: a Lambda layer uses the parts, others the value."""
    parts = payload(canary)
    return {"class_name": "__lambda__", "config": {**parts, "value": list(parts.values())}}


def function(module: str, name: str) -> Config:
    return {
        "module": module,
        "class_name": "function",
        "config": name,
        "registered_name": name,
    }


def lambda_layer(run: object, **settings: Any) -> Config:
    return layer("Lambda", "lambda", function=run, arguments={}, **settings)


def legacy_lambda(canary: Path) -> Config:
    parts = list(payload(canary).values())
    item = lambda_layer(parts, function_type="lambda", module="keras", output_shape=None)
    return {"class_name": "Lambda", "config": item["config"]}


def without_module(item: Config) -> Config:
    return {key: item[key] for key in ("class_name", "config")}


def wrapped(kind: str, inner: Config) -> Config:
    return layer(kind, "wrapped", layer=inner)


def with_setting(key: str, value: Callable[[Path], Any]) -> Callable[[Path], Config]:
    """Add a setting to the last layer of an otherwise valid model."""

    def make(canary: Path) -> Config:
        model = small()
        model["config"]["layers"][-1] = dense(**{key: value(canary)})
        return model

    return make


def with_layer(kind: str, **settings: Any) -> Callable[[Path], Config]:
    return lambda _canary: small(layer(kind, "between", **settings))


def in_module(module: object, kind: str) -> Callable[[Path], Config]:
    return lambda _canary: small({**layer(kind, "between"), "module": module})


def called_with(options: Config, *extra: object) -> Callable[[Path], Config]:
    item = call(dense(), "input_layer", shape=(784,), **options)
    item["inbound_nodes"][0]["args"].extend(extra)
    layers = [call(input_layer((784,))), item]
    return lambda _canary: functional(layers, ["input_layer"], ["dense"])


_CLASS = r"has the class 'LAYER'"


def _layers(*rows: tuple[str, str, Callable[[Path], Config]]) -> list[Row]:
    """Return rows for layer classes that are not allowed."""
    return [
        row
        for name, kind, config in rows
        for row in both(name, CODE, _CLASS.replace("LAYER", kind), config)
    ]


ROWS = [
    *_layers(
        ("lambda_bytecode", "Lambda", lambda canary: small(lambda_layer(bytecode(canary)))),
        ("lambda_legacy", "Lambda", lambda canary: small(legacy_lambda(canary))),
        (
            "lambda_names_function",
            "Lambda",
            lambda _canary: small(lambda_layer(function("keras.config", "set_floatx"))),
        ),
        (
            "lambda_downloads",
            "Lambda",
            lambda _canary: small(lambda_layer(function("keras.utils", "get_file"))),
        ),
        (
            "lambda_nested",
            "Lambda",
            lambda canary: small(
                sequential(sequential(lambda_layer(bytecode(canary)), name="b"), name="a")
            ),
        ),
        (
            "lambda_wrapped",
            "Lambda",
            lambda canary: small(wrapped("TimeDistributed", lambda_layer(bytecode(canary)))),
        ),
        (
            "lambda_bidirectional",
            "Lambda",
            lambda canary: small(wrapped("Bidirectional", lambda_layer(bytecode(canary)))),
        ),
        ("saved_model_layer", "TFSMLayer", with_layer("TFSMLayer", filepath="/tmp")),  # noqa: S108
        ("pickled_torch_layer", "TorchModuleWrapper", with_layer("TorchModuleWrapper", module="A")),
        ("jax_layer", "JaxLayer", with_layer("JaxLayer", call_fn="f")),
        (
            "vocabulary_file",
            "StringLookup",
            with_layer("StringLookup", vocabulary="/etc/passwd"),
        ),
        (
            "text_vocabulary_file",
            "TextVectorization",
            with_layer("TextVectorization", vocabulary="/etc/passwd"),
        ),
        (
            "tensorflow_writes_file",
            "TFOpLambda",
            with_layer("TFOpLambda", function="io.write_file"),
        ),
        (
            "tensorflow_slices_file",
            "SlicingOpLambda",
            with_layer("SlicingOpLambda", function="compat.v1.read_file"),
        ),
        (
            "tensorflow_method",
            "ClassMethod",
            with_layer("ClassMethod", cls_symbol="data.Dataset", method_name="list_files"),
        ),
        (
            "tensorflow_operation",
            "TensorFlowOpLayer",
            with_layer("TensorFlowOpLayer", node_def={"op": "WriteFile"}),
        ),
        (
            "lambda_unsafe",
            "Lambda",
            lambda _canary: small(
                lambda_layer(function("keras.config", "enable_unsafe_deserialization"))
            ),
        ),
        (
            "lambda_without_mode",  # without a module, Keras may not pass its safe_mode on
            "Lambda",
            lambda canary: small(without_module(sequential(legacy_lambda(canary), name="inner"))),
        ),
        ("private_lambda", "Lambda", in_module("keras.src.layers.core.lambda_layer", "Lambda")),
    ),
    *(
        row
        for name, settings, reason in [
            ("operator_add", {"function": "__operators__.add"}, "'TFOpLambda'"),
            ("operator_softmax", {"function": "nn.softmax"}, "'TFOpLambda'"),
        ]
        for row in both(name, CODE, reason, with_layer("TFOpLambda", **settings), **UNSUPPORTED)
    ),
    *both(
        "vocabulary_list",
        CODE,
        "'StringLookup'",
        with_layer("StringLookup", vocabulary=["a", "b"]),
        **UNSUPPORTED,
    ),
    *both(
        "module_of_tests",
        CODE,
        "names 'Dense' of the module 'keras_hub.layers'",
        in_module("keras_hub.layers", "Dense"),
    ),
    *both(
        "private_module",
        CODE,
        "has the module 'keras.src.layers.core.dense'",
        in_module("keras.src.layers.core.dense", "Dense"),
        **UNSUPPORTED,
    ),
    *both("custom_layer", CODE, "names 'Evil' of the module 'evil'", in_module("evil", "Evil")),
    *both("module_of_system", CODE, "names 'Dense' of the module 'os'", in_module("os", "Dense")),
    *both("module_null", CODE, "has the module 'None'", in_module(None, "Dense"), **UNSUPPORTED),
    *both(
        "registered_elsewhere",
        CODE,
        "is registered as 'evil>Dense'",
        lambda _canary: small({**dense(), "registered_name": "evil>Dense"}),
    ),
    *both("activation_bytecode", CODE, "'__lambda__'", with_setting("activation", bytecode)),
    *both(
        "activation_function",
        CODE,
        "names 'system' of the module 'os'",
        with_setting("activation", lambda _canary: function("os", "system")),
    ),
    *both(
        "activation_word",
        CODE,
        "'deserialize' as its activation",
        with_setting("activation", lambda _canary: "deserialize"),
        **UNSUPPORTED,
    ),
    *both(
        "activation_builtin",
        CODE,
        "names 'exec' of the module 'builtins'",
        with_setting("activation", lambda _canary: function("builtins", "exec")),
    ),
    *both(
        "activation_lambda_layer",
        CODE,
        "'Lambda'",
        with_setting("activation", lambda canary: lambda_layer(bytecode(canary))),
    ),
    *both(
        "initializer_bytecode", CODE, "'__lambda__'", with_setting("kernel_initializer", bytecode)
    ),
    *both(
        "regularizer_process",
        CODE,
        "'Popen'",
        with_setting(
            "kernel_regularizer",
            lambda canary: {
                "module": "subprocess",
                "class_name": "Popen",
                "config": {"args": ["touch", str(canary)]},
                "registered_name": None,
            },
        ),
    ),
    *both(
        "constraint_word",
        CODE,
        "'Lambda' as its kernel_constraint",
        with_setting("kernel_constraint", lambda _canary: "Lambda"),
        **UNSUPPORTED,
    ),
    *both(
        "dtype_quantized",
        CODE,
        "'QuantizedDTypePolicy'",
        with_setting(
            "dtype",
            lambda _canary: {
                "module": "keras.dtype_policies",
                "class_name": "QuantizedDTypePolicy",
                "config": {"mode": "int8", "source_name": "float32"},
                "registered_name": None,
            },
        ),
        **UNSUPPORTED,
    ),
    *both(
        "type_spec_argument",
        CODE,
        "class '__typespec__'",
        called_with({}, {"class_name": "__typespec__", "config": []}),
    ),
    *both(
        "bytecode_argument",
        CODE,
        "class '__lambda__'",
        called_with({"run": {"class_name": "__lambda__", "config": {}}}),
    ),
    *both(
        "unknown_setting",
        CODE,
        "has the unsupported setting 'call'",
        with_setting("call", lambda _canary: "os.system"),
        **UNSUPPORTED,
    ),
    *both(
        "type_confusion",
        CODE,
        "refers to objects of two classes",
        lambda _canary: small(
            {**layer("Dropout", "a", rate=0.1), "shared_object_id": 7},
            {**layer("Flatten", "b"), "shared_object_id": 7},
        ),
        **UNSUPPORTED,
    ),
]
