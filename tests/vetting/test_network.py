"""A network that the child sends is used only if its parts fit one another."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import pytest

from mnist_tasks.vetting import network
from mnist_tasks.vetting.network import Activation, Convolution, Dense, Network, Pooling, Scaling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mnist_tasks.vetting.network import Operation

IMAGE = (28, 28, 1)


def zeros(*shape: int) -> bytes:
    return bytes(4 * math.prod(shape))


CONVOLUTION = Convolution(
    size=(3, 5), strides=(1, 2), same=False, filters=4, kernel=zeros(3, 5, 1, 4), bias=zeros(4)
)
POOLING = Pooling(function="max", size=(2, 2), strides=(2, 2), same=False)
SOUND: list[Operation] = [
    CONVOLUTION,
    Activation(function="relu"),
    Scaling(factors=zeros(4), summands=zeros(4)),
    POOLING,
    network.Reshape(shape=(1, 1, 312)),
    Dense(units=10, kernel=zeros(312, 10), bias=zeros(10)),
    Activation(function="softmax"),
]


def check(operations: Sequence[Operation]) -> None:
    network.require_valid(Network(operations=list(operations), unsupported=[]), IMAGE, 10)


def replaced(place: int, **fields: object) -> list[Operation]:
    changed = list(SOUND)
    changed[place] = msgspec.structs.replace(changed[place], **fields)
    return changed


def test_the_shape_of_each_output() -> None:
    check(SOUND)
    assert list(network.shapes(SOUND, IMAGE))[:5] == [
        (26, 12, 4),
        (26, 12, 4),
        (26, 12, 4),
        (13, 6, 4),
        (1, 1, 312),
    ]
    assert len(network.weights(SOUND)) == 60 + 4 + 8 + 3120 + 10


@pytest.mark.parametrize(
    ("size", "window", "stride", "expected"),
    # As `tf.nn.convolution` documents it: the odd pixel comes after the image.
    [
        (28, 6, 2, (14, 2)),
        (28, 3, 1, (28, 1)),
        (5, 2, 2, (3, 0)),
        (4, 1, 3, (2, 0)),
        (7, 4, 1, (7, 1)),
    ],
)
def test_windows_over_the_edge(size: int, window: int, stride: int, expected: object) -> None:
    over = Pooling(function="max", size=(window, 1), strides=(stride, 1), same=True)
    assert network.margin(size, over, 0) == expected


@pytest.mark.parametrize(
    "operations",
    [
        SOUND[:-2],
        SOUND[1:],
        replaced(0, kernel=zeros(3, 5, 1, 4)[4:]),
        replaced(0, kernel=zeros(3, 5, 1, 4)[2:], bias=zeros(4) + b"\0\0"),
        replaced(0, filters=5),
        replaced(0, size=(29, 5)),
        replaced(2, factors=zeros(5)),
        replaced(3, strides=(1, 1)),
        replaced(4, shape=(1, 1, 311)),
        replaced(5, bias=np.float32("nan").tobytes() * 10),
        replaced(5, kernel=np.float32("inf").tobytes() * 3120),
        [
            Dense(units=700, kernel=zeros(784, 700), bias=zeros(700)),
            Dense(units=10, kernel=zeros(700, 10), bias=zeros(10)),
        ],
        [msgspec.structs.replace(CONVOLUTION, filters=50_000, kernel=b"", bias=b"")],
    ],
)
def test_what_does_not_fit_is_refused(operations: Sequence[Operation]) -> None:
    with pytest.raises(ValueError, match=r"shape|weights|from"):
        check(operations)


def test_a_message_of_another_form_is_refused() -> None:
    sound = msgspec.to_builtins(Network(operations=SOUND, unsupported=[]))
    assert msgspec.convert(sound, Network).operations == SOUND
    for key, value in {"size": [0, 3], "strides": [1], "filters": "4", "same": None}.items():
        wrong = {**sound, "operations": [{**sound["operations"][0], key: value}]}
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(wrong, Network)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({**sound, "operations": sound["operations"][1:2] * 251}, Network)
