"""Training configurations that name code; nothing else in one is a reason to refuse a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.vetting.crafted import handmade
from tests.vetting.crafted.code import CODE, bytecode, function, lambda_layer
from tests.vetting.crafted.handmade import dense, input_layer, layer, sequential, small
from tests.vetting.crafted.row import Row

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Config = dict[str, Any]


def _object(module: str | None, kind: str, **config: object) -> Config:
    return {"module": module, "class_name": kind, "config": config, "registered_name": None}


def _wrapper(fn: object) -> Config:
    return _object("keras.metrics", "MeanMetricWrapper", name="m", fn=fn)


def _deep(levels: int) -> Config:
    value: Any = 1
    for _ in range(levels):
        value = {"inner_optimizer": [value]}
    return {"optimizer": value}


_CLASS = "has the class '__lambda__'"
_CASES: list[tuple[str, str, str, Callable[[Path], object]]] = [
    ("loss_bytecode", CODE, _CLASS, lambda canary: {"loss": bytecode(canary)}),
    ("metric_bytecode", CODE, _CLASS, lambda canary: {"metrics": [[bytecode(canary)]]}),
    ("rate_bytecode", CODE, _CLASS, lambda canary: {"optimizer": _rate(bytecode(canary))}),
    (
        "registered_bytecode",
        CODE,
        "has the class 'Custom>__lambda__'",
        lambda canary: {"loss": {**bytecode(canary), "class_name": "Custom>__lambda__"}},
    ),
    (
        "loss_lambda_layer",
        CODE,
        "has the class 'Lambda'",
        lambda canary: {"loss": {"out": [lambda_layer(bytecode(canary))]}},
    ),
    (
        "optimizer_unknown",
        CODE,
        "names 'Evil' of the module 'evil'",
        lambda _canary: {"optimizer": _object("evil", "Evil")},
    ),
    (
        "optimizer_process",
        CODE,
        "names 'Popen' of the module 'subprocess'",
        lambda canary: {"optimizer": _object("subprocess", "Popen", args=["touch", str(canary)])},
    ),
    (
        "optimizer_prefix",
        CODE,
        "of the module 'keras_evil.optimizers'",
        lambda _canary: {"optimizer": _object("keras_evil.optimizers", "Adam")},
    ),
    (
        "optimizer_list",
        CODE,
        r"of the module '\['os'\]'",
        lambda _canary: {"optimizer": {**_object(None, "Adam"), "module": ["os"]}},
    ),
    (
        "loss_function",
        CODE,
        "names 'system' of the module 'os'",
        lambda _canary: {"loss": function("os", "system")},
    ),
    (
        "loss_type_spec",
        CODE,
        "has the class '__typespec__'",
        lambda _canary: {"loss": {**_object("os", "__typespec__"), "spec_name": "system"}},
    ),
    (
        "metric_wrapper",
        CODE,
        "names 'get_file' of the module 'keras.utils'",
        lambda _canary: {"metrics": [_wrapper(function("keras.utils", "get_file"))]},
    ),
    (
        "metric_unsafe",
        CODE,
        "names 'enable_unsafe_deserialization' of the module 'keras.config'",
        lambda _canary: {
            "metrics": [_wrapper(function("keras.config", "enable_unsafe_deserialization"))]
        },
    ),
    (
        "metric_model",
        CODE,
        "names 'Sequential' of the module 'keras'|'Lambda'",
        lambda canary: {
            "metrics": [
                _wrapper(sequential(input_layer(), lambda_layer(bytecode(canary)), name="s"))
            ]
        },
    ),
    (
        "loss_layer",
        CODE,
        "names 'Dense' of the module 'keras.layers'",
        lambda _canary: {"loss": dense()},
    ),
    ("training_deep", "bombs", "nested more than 20 deep", lambda _canary: _deep(30)),
    (
        "training_escape",
        "text",
        r"contains the text '\\x1b\[2J'",
        lambda _canary: {"loss": "\x1b[2J"},
    ),
    (
        "training_key",
        "text",
        r"contains the text '\\x1b\[2J'",
        lambda _canary: {"loss_weights": {"\x1b[2J": 1}},
    ),
    ("training_long", "bombs", "contains the text 'aaa", lambda _canary: {"loss": "a" * 500}),
    ("training_vast", "text", "more than 63 bits", lambda _canary: {"steps": 10**30}),
]


def _rate(value: object) -> Config:
    return _object("keras.optimizers", "Adam", learning_rate=value)


def _rows() -> list[Row]:
    rows = []
    for name, kind, reason, setup in _CASES:

        def keras(path: Path, canary: Path, setup: Any = setup) -> None:
            config = {**small(), "compile_config": setup(canary)}
            path.write_bytes(handmade.write_keras(config))

        def nested(path: Path, canary: Path, setup: Any = setup) -> None:
            inner = sequential(layer("ReLU", "relu"), name="inner")
            config = small({**inner, "compile_config": setup(canary)})
            path.write_bytes(handmade.write_keras(config))

        def h5(path: Path, canary: Path, setup: Any = setup) -> None:
            path.write_bytes(handmade.write_h5(small(), training=setup(canary)))

        makers = {f"{name}.keras": keras, f"{name}_nested.keras": nested, f"{name}.h5": h5}
        rows += [
            Row(name=title, kind=kind, exit_code=3, reason=reason, make=make)
            for title, make in makers.items()
        ]
    return rows


ROWS = _rows()
