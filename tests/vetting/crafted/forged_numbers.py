"""Forgeries with more numbers than the parameter count shows, and outputs that are no shares."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from tests.vetting.crafted import trained
from tests.vetting.crafted.forgery import between, chained, forged, sound
from tests.vetting.crafted.handmade import dense, layer
from tests.vetting.crafted.row import REFUSED
from tests.vetting.crafted.trained import FIRST, FLATTEN, INPUT, LAST, POOL

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.vetting.crafted.row import Row

    Config = dict[str, Any]
    Weights = dict[str, dict[str, Any]]

_TOO_MANY = r"parameters: (2[5-9]|[3-9]\d),?\d{3}"
#: With 120 hidden units the network has 24,850 parameters: 150 below the bound.
_ALMOST = 120


def _almost(*items: Config, last: Config = LAST) -> Config:
    hidden = dense(_ALMOST, "dense", activation="relu")
    layers = [INPUT, *items, POOL, FLATTEN, hidden, last]
    return chained([(item, {}) for item in layers])


def _tower(kind: str, **settings: Any) -> Config:
    """Stack layers whose settings could be weights: 200 times."""
    return _almost(*(layer(kind, f"number{index}", **settings) for index in range(200)))


def _typed(dtype: object) -> Config:
    hidden = {**dense(trained.HIDDEN, "dense", activation="relu", dtype=dtype)}
    return chained([(item, {}) for item in (INPUT, POOL, FLATTEN, hidden, LAST)])


def _as_type(dtype: str) -> Callable[[], Weights]:
    def make() -> Weights:
        values = trained.weights()
        first = {name: value.astype(dtype) for name, value in values["dense"].items()}
        return {**values, "dense": first}

    return make


def _policy(name: str) -> Config:
    return {"module": "keras", "class_name": "DTypePolicy", "config": {"name": name}}


def _packed(dtype: str) -> Config:
    """Unpack each weight's digits with layers of integers, as issue reports showed."""
    items = [
        layer("Rescaling", "high", scale=1e6, offset=0.0, dtype="float64"),
        layer("Activation", "whole", activation="linear", dtype=dtype),
        layer("Rescaling", "low", scale=1e-6, offset=0.0, dtype="float64"),
    ]
    hidden = dense(trained.HIDDEN, "dense", activation="relu", dtype="float64")
    return chained([(each, {}) for each in (INPUT, POOL, FLATTEN, hidden, *items, LAST)])


_wide = partial(trained.weights, _ALMOST)
_NUMBERS: list[tuple[str, str, Config, Any, str]] = [
    (
        "float64",
        "two weights in each",
        _typed("float64"),
        _as_type("f8"),
        "keras keras2 keras2_archive",
    ),
    (
        "float64_policy",
        "the same by a policy",
        _typed(_policy("float64")),
        _as_type("f8"),
        "keras h5",
    ),
    (
        "rescaling_one",
        "one number each",
        _tower("Rescaling", scale=0.999, offset=0.001),
        _wide,
        "keras h5 keras2_archive",
    ),
    (
        "normalization",
        "weights as means and variances",
        _tower("Normalization", axis=None, mean=0.001, variance=1.001),
        _wide,
        "keras h5",
    ),
    ("slopes", "weights as slopes", _tower("LeakyReLU", negative_slope=0.999), _wide, "keras h5"),
    ("caps", "weights as caps", _tower("ReLU", max_value=5.0), _wide, "keras h5"),
    ("thresholds", "weights as thresholds", _tower("ReLU", threshold=0.001), _wide, "keras h5"),
    ("leaks", "weights as leaks", _tower("ReLU", negative_slope=0.999), _wide, "keras h5"),
    ("elu", "weights as the scale of ELU", _tower("ELU", alpha=0.7), _wide, "keras h5"),
]
_OUTPUTS: list[tuple[str, str, str, Config, str]] = [
    (
        "nan",
        "no number for some images",
        "not finite",
        between(
            layer("Rescaling", "big", scale=1e30, offset=0.0),
            layer("Rescaling", "bigger", scale=1e30, offset=0.0),
            layer("Softmax", "softmax"),
            before="end",
        ),
        "keras keras2",
    ),
    (
        "negated",
        "the worst class first",
        "accuracy",
        between(layer("Rescaling", "minus", scale=-1.0, offset=0.0)),
        "keras keras2",
    ),
    (
        "zeros",
        "no class at all",
        "accuracy",
        between(layer("Rescaling", "zero", scale=0.0, offset=0.0)),
        "keras keras2",
    ),
    (
        "all_ones",
        "every class at once",
        "accuracy",
        between(layer("Rescaling", "ones", scale=0.0, offset=1.0)),
        "keras keras2",
    ),
    (
        "matrix",
        "ten classes in another shape",
        "output has the shape",
        between(layer("Reshape", "m", target_shape=[10, 1])),
        "keras keras2",
    ),
]

ROWS: list[Row] = [
    *(
        row
        for name, tries, config, weights, formats in _NUMBERS
        for row in forged(
            f"numbers_{name}", tries, _TOO_MANY, config, weights=weights, formats=formats
        )
    ),
    *(
        row
        for dtype in ("int32", "int64")
        for row in forged(
            f"numbers_packed_{dtype}",
            "unpack several weights from one through integers",
            f"computes with {dtype}",
            _packed(dtype),
            weights=_as_type("f8"),
            exit_code=REFUSED,
        )
    ),
    *forged(
        "numbers_int64",
        "weights as integers of 64 bits",
        "computes with int64",
        _typed("int64"),
        weights=_as_type("f8"),
        formats="keras h5",
        exit_code=REFUSED,
    ),
    *(
        row
        for name, tries, reason, config, formats in _OUTPUTS
        for row in forged(f"outputs_{name}", tries, reason, config, formats=formats)
    ),
    *sound("sound_almost", "24,850 parameters", _almost(), weights=_wide),
    *sound(
        "sound_half",
        "weights in half precision",
        _typed("float16"),
        weights=_as_type("f2"),
        formats="keras h5",
    ),
    *sound("sound_mixed", "mixed precision", _typed("mixed_float16"), formats="keras h5"),
    *sound(
        "sound_bfloat16", "another half precision", _typed("mixed_bfloat16"), formats="keras h5"
    ),
    *sound(
        "sound_settings",
        "layers with usual settings",
        _almost(
            layer("Rescaling", "r", scale=1.0, offset=0.0),
            layer("ReLU", "relu"),
            layer("LeakyReLU", "leaky_re_lu"),
        ),
        weights=_wide,
    ),
    *sound(
        "sound_1_005",
        "shares that sum to 1.005",
        between(layer("Rescaling", "r", scale=1.005, offset=0.0)),
    ),
    *sound(
        "sound_logits",
        "logits, also negative ones",
        chained(
            [
                (item, {})
                for item in (INPUT, POOL, FLATTEN, FIRST, dense(10, "dense_1", activation="linear"))
            ]
        ),
    ),
    *sound(
        "sound_log",
        "logarithms of shares",
        chained(
            [
                (item, {})
                for item in (
                    INPUT,
                    POOL,
                    FLATTEN,
                    FIRST,
                    dense(10, "dense_1", activation="log_softmax"),
                )
            ]
        ),
        formats="keras h5",
    ),
]
