"""The work of a model's own calls is counted, by the class of each layer, in Keras 3 and 2."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from mnist_tasks.vetting.execution import keras_model, model_cost
from mnist_tasks.vetting.static.static_check import DeclaredModel
from mnist_tasks.vetting.untrusted_text import RefusedError
from tests.vetting.crafted.handmade import (
    call,
    dense,
    functional,
    input_layer,
    layer,
    sequential,
)

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("tensorflow")]

CONV = {"filters": 4, "kernel_size": [3, 3], "padding": "same"}


def libraries() -> dict[str, Callable[[], keras_model.Library]]:
    return {"3": keras_model.keras_3, "2": keras_model.keras_2}


def build(config: dict[str, Any], keras: str = "3") -> Any:
    """Build a model as it is counted; Keras 2 knows neither modules nor `batch_shape`."""
    kind = "keras" if keras == "3" else "h5"
    config = config if keras == "3" else old(config)
    declared = DeclaredModel(layers=(), weights=0, config=config)
    library = libraries()[keras]()
    with library.without_weights():
        return keras_model.build(declared, library, file_format=kind, image_shape=(28, 28, 1))


def old(value: Any) -> Any:
    if isinstance(value, list):
        return [old(item) for item in value]
    if not isinstance(value, dict):
        return value
    renamed = {
        {"batch_shape": "batch_input_shape"}.get(key, key): old(item)
        for key, item in value.items()
        if key not in {"module", "registered_name", "build_input_shape"}
    }
    if nodes := renamed.get("inbound_nodes"):
        renamed["inbound_nodes"] = [
            [[*tensor["config"]["keras_history"], {}] for tensor in flat(node["args"])]
            for node in nodes
        ]
    return renamed


def flat(args: Any) -> list[Any]:
    return args[0] if isinstance(args[0], list) else args


@pytest.mark.parametrize("keras", ["3", "2"])
@pytest.mark.parametrize(
    ("item", "shape", "least", "most"),
    [
        (dense(16, "x"), (784,), 784 * 16, 784 * 18),
        (layer("Conv2D", "x", **CONV), (28, 28, 2), 784 * 72, 784 * 84),
        # Each weight is used at every position of the input, which is the smaller image.
        (
            layer("Conv2DTranspose", "x", **CONV, strides=[4, 4]),
            (7, 7, 2),
            49 * 72,
            49 * 80 + 28 * 28 * 4,
        ),
        (layer("DepthwiseConv2D", "x", kernel_size=[5, 5]), (28, 28, 2), 576 * 50, 576 * 60),
        (
            layer("MaxPooling2D", "x", pool_size=[999, 999], strides=[1, 1], padding="same"),
            (28, 28, 1),
            784 * 999**2,
            785 * 999**2,
        ),
        (
            layer("AveragePooling1D", "x", pool_size=9, strides=1, padding="valid"),
            (28, 4),
            80 * 9,
            80 * 12,
        ),
        (layer("UpSampling2D", "x", size=[4, 4]), (28, 28, 1), 784 * 16, 784 * 40),
        (
            layer("UpSampling2D", "x", size=[4, 4], interpolation="bicubic"),
            (28, 28, 1),
            784 * 16 * 16,
            784 * 16 * 17,
        ),
        (
            layer("Resizing", "x", height=4, width=4, interpolation="bilinear"),
            (28, 28, 1),
            4 * 49 * 16,
            4 * 49 * 16 + 784,
        ),
        (layer("GroupNormalization", "x", groups=2), (28, 28, 2), 784 * 8, 784 * 10),
        (layer("ReLU", "x"), (28, 28, 1), 784, 784),
    ],
    ids=lambda value: value["class_name"] if isinstance(value, dict) else None,
)
def test_operations_of_a_layer(
    item: dict[str, Any], shape: tuple[int, ...], least: int, most: int, keras: str
) -> None:
    model = build(sequential(input_layer(shape), item), keras)
    operations = model_cost.cost(model).operations - math.prod(shape)  # of the input
    assert least <= operations <= most


@pytest.mark.parametrize("keras", ["3", "2"])
def test_operations_of_a_contraction(keras: str) -> None:
    """The output of `Dot` doesn't show how many products each number sums up."""
    layers = [
        call(input_layer((4, 500), name="a")),
        call(layer("Dot", "dot", axes=[2, 2]), "a", "a", shape=(4, 500)),
    ]
    model = build(functional(layers, ["a"], ["dot"]), keras)
    assert 16 * 500 <= model_cost.cost(model).operations <= 16 * 500 + 2000 * 10


def test_padding_to_an_aspect_ratio_counts() -> None:
    item = layer("Resizing", "x", height=1, width=1000, pad_to_aspect_ratio=True)
    assert model_cost.cost(build(sequential(input_layer(), item))).numbers > 28 * 28_000


def test_rows_that_an_adaptive_pooling_makes_first_count() -> None:
    item = layer("AdaptiveMaxPooling2D", "x", output_size=[100_000, 1])
    assert model_cost.cost(build(sequential(input_layer(), item))).numbers > 28 * 100_000


@pytest.mark.parametrize("keras", ["3", "2"])
def test_a_sequential_counts_each_layer_once_and_calls_it_once(keras: str) -> None:
    """Keras's own way to build one calls each layer again for each that follows."""
    items = [layer("Conv2D", f"c{number}", **CONV) for number in range(100)]
    model = build(sequential(input_layer(), *items, layer("Flatten", "f"), dense()), keras)
    assert max(len(each._inbound_nodes) for each in model.layers) <= 2
    weights = 40 + 99 * 148
    assert model_cost.cost(model).operations == pytest.approx(784 * weights + 31_370, rel=0.05)
    assert model.count_params() == weights + 31_370


@pytest.mark.parametrize("name", ["keras", "tf_keras"])
def test_a_nested_model_counts_per_call(name: str) -> None:
    keras = pytest.importorskip(name)
    inner = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4)])
    costs = []
    for calls in range(1, 4):
        images = outputs = keras.Input((4,))
        for _ in range(calls):
            outputs = inner(outputs)
        costs.append(model_cost.cost(keras.Model(images, outputs)).operations)
    assert costs[1] - costs[0] == costs[2] - costs[1] == costs[0] - 4


@pytest.mark.parametrize("keras", ["3", "2"])
def test_vast_weights_are_counted_and_not_allocated(keras: str) -> None:
    model = build(sequential(input_layer((784,)), dense(10**9, "big"), dense()), keras)
    assert model.count_params() == 785 * 10**9 + 10**10 + 10


@pytest.mark.parametrize("name", ["keras", "tf_keras"])
def test_a_nested_model_on_another_shape_than_it_is_counted_for_is_refused(name: str) -> None:
    """A nested model's own calls show only the shape that it was built for."""
    keras = pytest.importorskip(name)
    inner = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(1, 3)])
    images = keras.Input((28, 28, 1))
    with pytest.raises((ValueError, RefusedError), match="shape"):
        model_cost.cost(keras.Model(images, inner(images)))


@pytest.mark.parametrize("name", ["keras", "tf_keras"])
def test_a_nested_model_may_be_given_images_without_channels(name: str) -> None:
    keras = pytest.importorskip(name)
    inner = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten()])
    images = keras.Input((28, 28))
    assert model_cost.cost(keras.Model(images, inner(images))).operations > 0


def test_numbers_of_a_chain_add_up() -> None:
    items = [layer("ReLU", f"r{number}") for number in range(3)]
    assert model_cost.cost(build(sequential(input_layer(), *items))).numbers == 4 * 784
