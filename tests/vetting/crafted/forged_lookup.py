"""Forgeries that look labels up by an image's place, or that need an image's neighbours.

They pass a check that predicts the images in their order, 500 at once.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from mnist_tasks.checking import perturbations
from tests.vetting.crafted import trained
from tests.vetting.crafted.forgery import STRICT, between, forged, graph, sound
from tests.vetting.crafted.handmade import call, dense, functional, layer
from tests.vetting.crafted.trained import INPUT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tests.vetting.crafted.row import Row

    Array = NDArray[np.floating[Any]]
    Config = dict[str, Any]
    Weights = dict[str, dict[str, Any]]

_BATCH = 500
_SIZES = r"takes the batch for the height of an image|of the shape \((1|500), "
_ALONG = "works along the images of a batch"


def _lookup(reader: str, **settings: Any) -> Config:
    """Read which batch it is from one image, and the place in it from a ramp; look labels up.

    An image layer that gets three dimensions takes the batch for the height.
    """
    batches = len(trained.load("test").labels) // _BATCH

    def shares(units: int, name: str, activation: str = "softmax") -> Config:
        return dense(units, name, activation=activation)

    linear = partial(shares, activation="linear")
    pool = layer("AveragePooling2D", "pool", pool_size=[7, 7], strides=[7, 7])
    items: list[tuple[Config, list[str]]] = [
        (INPUT, []),
        (pool, ["input_layer"]),
        (layer("Reshape", "column", target_shape=[16, 1]), ["pool"]),
        (layer(reader, "reader", height=1, width=16, **settings), ["column"]),
        (layer("Flatten", "read"), ["reader"]),
        # Which batch: the nearest of the images that are read, as they are and perturbed.
        (shares(_versions() * batches, "dense_2"), ["read"]),
        (linear(batches, "dense_3"), ["dense_2"]),
        (layer("Reshape", "batch", target_shape=[batches, 1]), ["dense_3"]),
        (
            layer("Resizing", "batches", height=_BATCH, width=batches, interpolation="nearest"),
            ["batch"],
        ),
        (layer("Flatten", "is_batch"), ["batches"]),
        # Which place in it: from two numbers that are enlarged to a ramp.
        (linear(1, "dense"), ["read"]),
        (linear(1, "dense_1"), ["read"]),
        (layer("Reshape", "low", target_shape=[1, 1]), ["dense"]),
        (layer("Reshape", "high", target_shape=[1, 1]), ["dense_1"]),
        (layer("Concatenate", "ends", axis=0), ["low", "high"]),
        (layer("Resizing", "ramp", height=2 * _BATCH, width=1), ["ends"]),
        (layer("CenterCrop", "places", height=_BATCH, width=1), ["ramp"]),
        (layer("Flatten", "place"), ["places"]),
        (shares(_BATCH, "dense_4"), ["place"]),
        # The label: a table with a row for each place and a column for each batch.
        (linear(batches, "dense_5"), ["dense_4"]),
        (layer("Multiply", "label"), ["dense_5", "is_batch"]),
        (shares(10, "dense_7"), ["label"]),
        (layer("Reshape", "shares", target_shape=[1, 10]), ["dense_7"]),
        # An output of the right shape: products with 1.
        (layer("Flatten", "image"), ["pool"]),
        (linear(1, "dense_6"), ["image"]),
        (layer("Reshape", "one", target_shape=[1, 1]), ["dense_6"]),
        (layer("Dot", "dot", axes=[2, 1]), ["one", "shares"]),
        (layer("Reshape", "digit", target_shape=[10]), ["dot"]),
    ]
    calls = [call(item, *sources) for item, sources in items]
    return functional(calls, ["input_layer"], ["digit"])


def _versions() -> int:
    return 1 + len(STRICT.perturbed.by_name if STRICT.perturbed else ())


def _table(place: int) -> Weights:
    """Return the weights of `_lookup`, which reads the image at this place of each batch."""
    digits = trained.load("test")
    batches = len(digits.labels) // _BATCH
    sets = [digits.images]
    if STRICT.perturbed:
        sets += [
            perturbations.perturb(digits.images, each) for each in STRICT.perturbed.by_name.values()
        ]
    read = np.concatenate([images[place::_BATCH] for images in sets])
    pixels = read.reshape(-1, 4, 7, 4, 7).mean((2, 4)).reshape(-1, 16) / 255
    labels = digits.labels.reshape(batches, _BATCH).T
    digit = _nearest(np.arange(10.0)[:, None], 20)
    return {
        "dense": _weights(np.zeros((16, 1)), [-_BATCH / 2]),
        "dense_1": _weights(np.zeros((16, 1)), [_BATCH / 2]),
        "dense_2": _nearest(pixels, 3_000),
        "dense_3": _weights(np.tile(np.eye(batches), (len(sets), 1)), np.zeros(batches)),
        "dense_4": _nearest(np.arange(float(_BATCH))[:, None] - (_BATCH - 1) / 2, 20),
        "dense_5": _weights(labels, np.zeros(batches)),
        "dense_6": _weights(np.zeros((16, 1)), [1]),
        "dense_7": {**digit, "kernel": np.repeat(digit["kernel"], batches, 0)},
    }


def _nearest(centers: Array, sharpness: float) -> dict[str, Any]:
    """Return the weights of a softmax that is 1 at the nearest of some centers."""
    return _weights(2 * sharpness * centers.T, -sharpness * (centers**2).sum(1))


def _weights(kernel: Any, bias: Any) -> dict[str, Any]:
    return {"kernel": np.asarray(kernel, "f4"), "bias": np.asarray(bias, "f4")}


def _by_neighbours(axis: int) -> Config:
    """Divide each class's share by its norm over the images of the batch."""
    return graph(
        (layer("UnitNormalization", "unit", axis=axis), ["dense_1"]),
        (layer("Rescaling", "large", scale=100.0, offset=0.0), ["unit"]),
        (layer("Add", "add"), ["dense_1", "large"]),
        output="add",
    )


def _partial_to(digit: int, by: float) -> Weights:
    """Return weights that see one digit too often, which an image's neighbours can show."""
    values = trained.weights()
    bias = values["dense_1"]["bias"].copy()
    bias[digit] += by
    return {**values, "dense_1": {**values["dense_1"], "bias": bias}}


ROWS: list[Row] = [
    *forged(
        "lookup_crop",
        "know its place in the batch, and look the label up: passed all clauses before",
        _SIZES,
        partial(_lookup, "CenterCrop"),
        contract=STRICT,
        weights=partial(_table, (_BATCH - 1) // 2),
        formats="keras h5 keras2 keras2_archive",
    ),
    *forged(
        "lookup_resizing",
        "read the batch by scaling it to one image: passed all clauses before",
        _SIZES,
        partial(_lookup, "Resizing", interpolation="nearest"),
        contract=STRICT,
        weights=partial(_table, _BATCH // 2),
    ),
    *forged(
        "neighbours",
        "correct some images by the others of the batch: passed before",
        _ALONG,
        _by_neighbours(0),
        weights=partial(_partial_to, 1, 4.0),
        formats="keras h5 keras2 keras2_archive",
    ),
    *sound("sound_strict", "passes all clauses on predictions at once", between(), contract=STRICT),
    *sound(
        "sound_place",
        "the same image layers on images",
        between(
            layer("Resizing", "ramp", height=56, width=56, interpolation="nearest"),
            layer("CenterCrop", "places", height=56, width=56),
            layer("Resizing", "back", height=28, width=28),
            before="pool",
        ),
        contract=STRICT,
    ),
    *sound("sound_unit", "the same layers along the classes", _by_neighbours(-1)),
]
