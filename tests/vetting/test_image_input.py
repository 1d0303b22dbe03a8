"""Images become the input of a model: sizes, channels, pixels."""

from __future__ import annotations

import numpy as np
import pytest

from mnist_tasks.vetting import image_input
from mnist_tasks.vetting.image_input import CONVENTIONS, Fit

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 28, 28), np.uint8)
PLAIN = CONVENTIONS["0-255"]


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        ((784,), (28, 28)),
        ((28, 28), (28, 28)),
        ((28, 28, 1), (28, 28)),
        ((32, 30, 3), (32, 30)),
        ((783,), None),
        ((28, 28, 4), None),
        ((28, None, 1), None),
        ((), None),
        ((1, 28, 28, 1), None),
    ],
)
def test_the_size_of_an_input(shape: tuple[int | None, ...], size: tuple[int, int] | None) -> None:
    assert image_input.size(shape) == size


def test_pixels_are_scaled() -> None:
    for name, (low, high) in {"0-1": (0, 1), "0-255": (0, 255), "-1-1": (-1, 1)}.items():
        images = np.array([[[0] * 28] * 14 + [[255] * 28] * 14], np.uint8)
        found = image_input.arrange(images, (28, 28), pixels=CONVENTIONS[name], fit="pad")
        assert found.dtype == np.float32
        assert (found.min(), found.max()) == (low, high)
    usual = image_input.arrange(IMAGES, (784,), pixels=CONVENTIONS["0-1"], fit="pad")
    np.testing.assert_array_equal(usual, IMAGES.reshape(-1, 784) / np.float32(255))


def test_padding_is_the_background_in_any_range_of_pixels() -> None:
    found = image_input.arrange(IMAGES, (33, 32, 1), pixels=CONVENTIONS["-1-1"], fit="pad")
    assert found.shape == (3, 33, 32, 1)
    assert (found[:, :2] == -1).all()
    assert (found[:, 30:] == -1).all()
    inner = image_input.arrange(IMAGES, (28, 28, 1), pixels=CONVENTIONS["-1-1"], fit="pad")
    np.testing.assert_array_equal(found[:, 2:30, 2:30], inner)


def test_three_channels_are_copies() -> None:
    found = image_input.arrange(IMAGES, (28, 28, 3), pixels=PLAIN, fit="pad")
    for channel in range(3):
        np.testing.assert_array_equal(found[..., channel], IMAGES)


@pytest.mark.slow
@pytest.mark.usefixtures("tensorflow")
@pytest.mark.parametrize("side", [8, 14, 20, 32, 64])
def test_resizing_is_that_of_tensorflow(side: int) -> None:
    import tensorflow as tf

    found = image_input.arrange(IMAGES, (side, side), pixels=PLAIN, fit="resize")
    expected = tf.image.resize(IMAGES[..., None], (side, side), antialias=True)[..., 0]
    np.testing.assert_allclose(found, expected.numpy(), atol=0.01)


@pytest.mark.parametrize(("shape", "fit"), [((783,), "pad"), ((14, 14), "pad"), ((), "resize")])
def test_an_impossible_input_is_an_error(shape: tuple[int, ...], fit: Fit) -> None:
    with pytest.raises(ValueError, match="can't be given"):
        image_input.arrange(IMAGES, shape, pixels=PLAIN, fit=fit)
