"""A small trained network that passes the default contract, as what files are crafted from."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from mnist_tasks.api.data import data_config
from mnist_tasks.data import store
from mnist_tasks.data.store import LabeledImages
from mnist_tasks.errors import MnistTasksError
from tests import generated
from tests.vetting.crafted.handmade import dense, input_layer, layer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from mnist_tasks.data.datasets import Split

    Array = NDArray[np.float32]
    Config = dict[str, Any]

HIDDEN = 100
#: 28 x 28 pixels, averaged to 14 x 14, and two dense layers: 20,710 parameters.
INPUT, POOL = input_layer(), layer("AveragePooling2D", "pool", pool_size=[2, 2], strides=[2, 2])
FLATTEN = layer("Flatten", "flatten")
FIRST, LAST = dense(HIDDEN, "dense", activation="relu"), dense(10, "dense_1")

_COUNTS: Mapping[Split, int] = {"train": 6_000, "test": 3_000}


def _generated(split: Split) -> LabeledImages:
    images, labels = generated.digits(_COUNTS[split], seed=len(split))
    return LabeledImages(images=images, labels=labels)


@functools.cache
def load(split: Split) -> LabeledImages:
    """Return the images that this process takes, by default those of `generated`."""
    return _source(split)


_source: Callable[[Split], LabeledImages] = _generated


def use_real_images() -> None:
    """Take MNIST for the rest of this process if it was fetched."""
    global _source  # noqa: PLW0603 - one data set for all rows
    folder = data_config(None).folder or store.default_folder()
    try:
        store.load(folder, "train")
        store.load(folder, "test")
    except MnistTasksError:
        return
    _source = functools.partial(store.load, folder)
    load.cache_clear()
    weights.cache_clear()


@functools.cache
def weights(hidden: int = HIDDEN) -> dict[str, dict[str, Array]]:
    """Train the network with NumPy, in a few seconds."""
    random = np.random.default_rng(0)
    digits = load("train")
    pixels = digits.images.reshape(-1, 14, 2, 14, 2).mean((2, 4)).reshape(-1, 196) / 255
    inputs, targets = pixels.astype("f4"), np.eye(10, dtype="f4")[digits.labels]
    values = [
        random.normal(0, 0.1, (196, hidden)).astype("f4"),
        np.zeros(hidden, "f4"),
        random.normal(0, 0.1, (hidden, 10)).astype("f4"),
        np.zeros(10, "f4"),
    ]
    velocity = [np.zeros_like(value) for value in values]
    steps = len(inputs) // 20
    for step in range(steps):
        chosen = random.integers(0, len(inputs), 100)
        rate = 0.1 * (1 - step / steps)
        slopes = _slopes(values, inputs[chosen], targets[chosen])
        for number, slope in enumerate(slopes):
            velocity[number] = 0.9 * velocity[number] - rate * slope
            values[number] += velocity[number]
    first, first_bias, last, last_bias = values
    return {
        "dense": {"kernel": first, "bias": first_bias},
        "dense_1": {"kernel": last, "bias": last_bias},
    }


def _slopes(values: list[Array], inputs: Array, targets: Array) -> list[Array]:
    first, first_bias, last, last_bias = values
    hidden = np.maximum(inputs @ first + first_bias, 0)
    logits = hidden @ last + last_bias
    shares = np.exp(logits - logits.max(1, keepdims=True))
    error = (shares / shares.sum(1, keepdims=True) - targets) / len(inputs)
    back = (error @ last.T) * (hidden > 0)
    return [inputs.T @ back, back.sum(0), hidden.T @ error, error.sum(0)]
