"""Images become the input of a model: sizes, channels, pixels."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mnist_tasks.vetting import image_input
from mnist_tasks.vetting.image_input import CONVENTIONS, Fit

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 28, 28), np.uint8)
COLORED = np.random.default_rng(1).integers(0, 256, (3, 20, 24, 3), np.uint8)
PLAIN = CONVENTIONS["0-255"]


@pytest.mark.parametrize(
    ("shape", "layout"),
    [
        ((784,), (28, 28, 1)),
        ((1024,), (32, 32, 1)),
        ((28, 28), (28, 28, 1)),
        ((28, 28, 1), (28, 28, 1)),
        ((32, 30, 3), (32, 30, 3)),
        ((783,), None),
        ((28, 28, 4), None),
        ((28, None, 1), None),
        ((), None),
        ((1, 28, 28, 1), None),
    ],
)
def test_the_images_that_an_input_takes(
    shape: tuple[int | None, ...], layout: tuple[int, int, int] | None
) -> None:
    assert image_input.layout(shape, (28, 28, 1)) == layout


def test_a_flat_input_takes_the_pixels_or_all_values_of_an_image() -> None:
    assert image_input.layout((480,), (20, 24, 3)) == (20, 24, 1)
    assert image_input.layout((1440,), (20, 24, 3)) == (20, 24, 3)
    assert image_input.layout((784,), (20, 24, 3)) == (28, 28, 1)
    assert image_input.layout((480,), (28, 28, 1)) is None


def test_a_sample_has_about_250_images_or_all_of_fewer() -> None:
    for images, sample in ((1, 1), (60, 60), (499, 499), (500, 250), (10_000, 250), (60_000, 250)):
        assert len(range(0, images, image_input.sample_step(images))) == sample


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


def test_a_color_image_keeps_its_channels() -> None:
    for shape in ((20, 24, 3), (1440,)):
        found = image_input.arrange(COLORED, shape, pixels=CONVENTIONS["0-1"], fit="pad")
        np.testing.assert_array_equal(found, COLORED.reshape(-1, *shape) / np.float32(255))
    padded = image_input.arrange(COLORED, (20, 27, 3), pixels=PLAIN, fit="pad")
    np.testing.assert_array_equal(padded[:, :, 1:25], COLORED)
    assert not padded[:, :, [0, 25, 26]].any()


def test_one_channel_of_a_color_image_is_its_luma() -> None:
    found = image_input.arrange(COLORED, (20, 24), pixels=PLAIN, fit="pad")
    red, green, blue = np.moveaxis(COLORED.astype(float), -1, 0)
    np.testing.assert_allclose(found, 0.299 * red + 0.587 * green + 0.114 * blue, rtol=1e-5)
    gray = np.repeat(IMAGES[..., None], 3, axis=-1)
    found = image_input.arrange(gray, (28, 28), pixels=PLAIN, fit="pad")
    np.testing.assert_allclose(found, IMAGES, rtol=1e-5)


@pytest.mark.slow
@pytest.mark.usefixtures("tensorflow")
@pytest.mark.parametrize("size", [(8, 8), (14, 30), (20, 20), (32, 16), (64, 64)])
@pytest.mark.parametrize("images", [IMAGES[..., None], COLORED], ids=["gray", "color"])
def test_resizing_is_that_of_tensorflow(images: NDArray[np.uint8], size: tuple[int, int]) -> None:
    import tensorflow as tf

    shape = (*size, images.shape[-1])
    given = images.squeeze(-1) if shape[-1] == 1 else images
    found = image_input.arrange(given, shape, pixels=PLAIN, fit="resize")
    expected = tf.image.resize(images, size, antialias=True)
    np.testing.assert_allclose(found, expected.numpy(), atol=0.01)


@pytest.mark.parametrize(("shape", "fit"), [((783,), "pad"), ((14, 14), "pad"), ((), "resize")])
def test_an_impossible_input_is_an_error(shape: tuple[int, ...], fit: Fit) -> None:
    with pytest.raises(ValueError, match="can't be given"):
        image_input.arrange(IMAGES, shape, pixels=PLAIN, fit=fit)


def test_a_color_image_is_not_cut() -> None:
    with pytest.raises(ValueError, match="can't be given"):
        image_input.arrange(COLORED, (28, 23, 3), pixels=PLAIN, fit="pad")
