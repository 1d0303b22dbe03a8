"""Demo pages of networks with random weights, made without TensorFlow."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mnist_tasks.data.store import LabeledImages
from mnist_tasks.dataset_info import MNIST, DatasetInfo
from mnist_tasks.demo import examples
from mnist_tasks.demo import page as demo_page
from mnist_tasks.demo.model_data import model_data
from mnist_tasks.vetting import image_input
from mnist_tasks.vetting.network import Activation, Convolution, Dense, Operation, Reshape
from tests import generated, runs


def operations(info: DatasetInfo, *, seed: int = 0) -> list[Operation]:
    """Return a network of one convolution and one dense layer."""
    random = np.random.default_rng(seed)

    def weights(*shape: int) -> bytes:
        return random.normal(0, 0.2, shape).astype("<f4").tobytes()

    height, width, channels = info.image_shape
    classes, size = len(info.classes), ((height - 5) // 3 + 1) * ((width - 5) // 3 + 1) * 6
    return [
        Convolution(
            size=(5, 5),
            strides=(3, 3),
            same=False,
            filters=6,
            kernel=weights(5, 5, channels, 6),
            bias=weights(6),
        ),
        Activation(function="relu"),
        Reshape(shape=(1, 1, size)),
        Dense(units=classes, kernel=weights(size, classes), bias=weights(classes)),
        Activation(function="softmax"),
    ]


def model(info: DatasetInfo = MNIST) -> dict[str, Any]:
    return model_data(
        operations(info),
        info.image_shape,
        info=info,
        pixels=image_input.DEFAULT.pixels,
        draws=info == MNIST,
    )


def page(info: DatasetInfo = MNIST) -> str:
    """Return the page of such a network, with test images; some predictions are wrong."""
    if info == MNIST:
        images, labels = generated.digits(200)
    else:
        labels = (np.arange(200) % len(info.classes)).astype(np.uint8)
        count = 200 * math.prod(info.array_shape)
        images = (np.arange(count) % 251).astype(np.uint8).reshape(200, *info.array_shape)
    data = LabeledImages(images=images, labels=labels, info=info)
    found = runs.probabilities(labels, seed=0, classes=len(info.classes))
    return demo_page.render(
        model(info),
        info,
        facts="model.h5 has 170 parameters.",
        examples=examples.groups(data, found),
    )
