"""Each rule about the batch, with a real model of Keras 3 or Keras 2; sound twins pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mnist_tasks.vetting.execution import batch_axis

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("tensorflow")]

IMAGE = (28, 28, 1)
MIXING = {
    "Concatenate": (IMAGE, lambda kl: lambda x: kl.Concatenate(axis=0)([x, x])),
    "Softmax": ((10,), lambda kl: kl.Softmax(axis=0)),
    "Softmax from the end": ((10,), lambda kl: kl.Softmax(axis=-2)),
    "LayerNormalization": ((10,), lambda kl: kl.LayerNormalization(axis=[0, 1])),
    "Dot": ((10, 10), lambda kl: lambda x: kl.Dot(axes=(0, 1))([x, x])),
    "Resizing": ((28, 28), lambda kl: kl.Resizing(28, 28)),
    "CenterCrop": ((28, 28), lambda kl: kl.CenterCrop(28, 28)),
    "RandomZoom": ((28, 28), lambda kl: kl.RandomZoom(0.1)),
}
SOUND = {
    "Concatenate": (IMAGE, lambda kl: lambda x: kl.Concatenate(axis=1)([x, x])),
    "Softmax": ((10,), lambda kl: kl.Softmax()),
    "LayerNormalization": (IMAGE, lambda kl: kl.LayerNormalization(axis=[1, 2])),
    "Dot": ((10, 10), lambda kl: lambda x: kl.Dot(axes=(2, 1))([x, x])),
    "Resizing": (IMAGE, lambda kl: kl.Resizing(14, 14)),
    "Permute": ((28, 28), lambda kl: kl.Permute((2, 1))),
}


def model(name: str, shape: tuple[int, ...], layer: Callable[[Any], Any]) -> Any:
    keras = pytest.importorskip(name)
    images = keras.Input(shape)
    return keras.Model(images, layer(keras.layers)(images))


@pytest.mark.parametrize("keras", ["keras", "tf_keras"])
@pytest.mark.parametrize("kind", sorted(MIXING))
def test_a_layer_that_mixes_the_images_is_found(kind: str, keras: str) -> None:
    try:
        made = model(keras, *MIXING[kind])
    except (ValueError, TypeError, IndexError) as error:
        pytest.skip(f"this Keras refuses it: {error}")
    assert batch_axis.problem(made) is not None


@pytest.mark.parametrize("keras", ["keras", "tf_keras"])
@pytest.mark.parametrize("kind", sorted(SOUND))
def test_a_layer_that_keeps_them_apart_passes(kind: str, keras: str) -> None:
    assert batch_axis.problem(model(keras, *SOUND[kind])) is None


@pytest.mark.parametrize("name", ["keras", "tf_keras"])
def test_a_nested_model_is_looked_at(name: str) -> None:
    keras = pytest.importorskip(name)
    inner = model(name, *MIXING["Softmax"])
    images = keras.Input((10,))
    assert batch_axis.problem(keras.Model(images, inner(images))) is not None


@pytest.mark.parametrize("name", ["keras", "tf_keras"])
def test_a_fixed_batch_is_found(name: str) -> None:
    keras = pytest.importorskip(name)
    images = keras.Input(batch_shape=(32, 10))
    assert batch_axis.problem(keras.Model(images, keras.layers.Dense(10)(images))) is not None
