"""Forgeries that are two models: what is counted, measured and loaded by the user differ."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.vetting.crafted import trained
from tests.vetting.crafted.forgery import between, forged, graph, sound
from tests.vetting.crafted.handmade import dense, layer
from tests.vetting.crafted.row import REFUSED

if TYPE_CHECKING:
    from tests.vetting.crafted.row import Row

    Config = dict[str, Any]
    Weights = dict[str, dict[str, Any]]

# Two layers of one shape, which must not be swapped: one doubles, the other subtracts 1.
_DOUBLE, _LESS = dense(10, "dense_2", activation="relu"), dense(10, "dense_3", activation="linear")
_PAIR = between(_DOUBLE, _LESS)


def _pair() -> Weights:
    one = np.eye(10, dtype="f4")
    return {
        **trained.weights(),
        "dense_2": {"kernel": 2 * one, "bias": np.zeros(10, "f4")},
        "dense_3": {"kernel": one, "bias": np.full(10, -1, "f4")},
    }


def _swapped() -> Weights:
    values = _pair()
    return {**values, "dense_2": values["dense_3"], "dense_3": values["dense_2"]}


def _twice_stored() -> Weights:
    values = trained.weights()
    return {**values, "dense": {**values["dense"], "more": np.zeros((196, 100), "f4")}}


def _one_more() -> Weights:
    return {**trained.weights(), "dense_2": {"kernel": np.zeros((10, 10), "f4")}}


def _lists_at_the_root(file: Any) -> None:
    """List the layers in the right order where load_weights looks, and in another elsewhere."""
    top = file["model_weights"]
    names = list(top.attrs["layer_names"])
    file.attrs["layer_names"] = [f"model_weights/{name}" for name in names]
    top.attrs["layer_names"] = [*names[:2], "dense_3", "dense_2"]


def _edit(*path: Any, config: Config = _PAIR, **values: Any) -> Config:
    """Change values of an object within a description."""
    config = copy.deepcopy(config)
    item: Any = config
    for key in path:
        item = item[key]
    item.update(values)
    return config


def _shared(config: Config, *numbers: int) -> Config:
    for number in numbers:
        config = _edit("config", "layers", number, config=config, shared_object_id=7)
    return config


_PLAIN = between()
_LAYERS = ("config", "layers")
ROWS: list[Row] = [
    *forged(
        "twice_lists",
        "one order of the weights for check, another for load_model",
        "the root lists layers, too",
        _PAIR,
        weights=_pair,
        edit=_lists_at_the_root,
        formats="h5 keras2",
        exit_code=REFUSED,
        static=True,
    ),
    *forged(
        "twice_swapped",
        "layers in another order",
        "accuracy",
        _PAIR,
        weights=_swapped,
        formats="keras h5 keras2 keras2_archive",
    ),
    *forged(
        "twice_shared",
        "describe a small layer, and load the shared large one",
        "can't build",
        _shared(_PLAIN, 3, 4),
        exit_code=REFUSED,
        formats="keras",
    ),
    *forged(
        "twice_shared_pair",
        "store the weights of two layers, and load one",
        "but its layers have|can't load",
        _shared(_PAIR, 5, 6),
        weights=_pair,
        exit_code=REFUSED,
        formats="keras",
    ),
    *forged(
        "twice_named",
        "two layers of one name",
        "can't build|second|more than once",
        _edit(*_LAYERS, 6, "config", config=_edit(*_LAYERS, 6, name="dense_2"), name="dense_2"),
        weights=_pair,
        exit_code=REFUSED,
        formats="keras h5 keras2 keras2_archive",
    ),
    *forged(
        "twice_built",
        "build a layer for other images than it is called on",
        "can't build",
        _edit(*_LAYERS, 3, config=_PLAIN, build_config={"input_shape": [None, 300]}),
        exit_code=REFUSED,
        formats="keras h5",
    ),
    *forged(
        "twice_input",
        "begin after the first layers",
        r"14",
        _edit("config", config=_PLAIN, input_layers=[["pool", 0, 0]]),
        formats="keras h5",
    ),
    *forged(
        "twice_output",
        "end before the last layer",
        r"output has the shape \(None, 100\)",
        _edit("config", config=_PLAIN, output_layers=[["dense", 0, 0]]),
        formats="keras h5 keras2 keras2_archive",
    ),
    *forged(
        "twice_outputs",
        "one output for the count, and one for the accuracy",
        "1 inputs and 2 outputs",
        _edit("config", config=_PLAIN, output_layers=[["dense_1", 0, 0], ["dense", 0, 0]]),
        formats="keras h5 keras2",
    ),
    *forged(
        "twice_stored",
        "a second kernel in a layer's group",
        "but its layers have|can't load",
        _PLAIN,
        weights=_twice_stored,
        exit_code=REFUSED,
        formats="keras h5 keras2 keras2_archive",
    ),
    *forged(
        "twice_more",
        "weights of a layer that is not there",
        "belongs to no layer",
        _PLAIN,
        weights=_one_more,
        exit_code=REFUSED,
        static=True,
        formats="keras keras2_archive",
    ),
    *forged(
        "twice_more_listed",
        "weights of a layer that is not there",
        "can't load",
        _PLAIN,
        weights=_one_more,
        exit_code=REFUSED,
        formats="h5 keras2",
    ),
    *sound(
        "sound_pair",
        "two layers of one shape",
        _PAIR,
        weights=_pair,
        formats="keras h5 keras2 keras2_archive",
    ),
    *sound(
        "sound_shared_id",
        "Keras 2 ignores that two layers claim to be one",
        _shared(_PAIR, 5, 6),
        weights=_pair,
        formats="keras2_archive",
    ),
    *sound(
        "sound_batch_size",
        "a batch size of its own, as fit saves it",
        _edit(*_LAYERS, 0, "config", config=_PLAIN, batch_shape=[32, 28, 28, 1]),
    ),
    *sound(
        "sound_shared",
        "a layer that is called twice",
        graph(
            (layer("ReLU", "relu"), ["dense_1"]),
            (layer("Average", "average"), ["relu", "dense_1"]),
            output="average",
        ),
    ),
    *sound(
        "sound_named_output",
        "its output has a name",
        _edit("config", config=_PLAIN, output_layers={"digit": ["dense_1", 0, 0]}),
        formats="keras",
    ),
]
