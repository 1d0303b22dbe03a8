"""Pictures become images of a data set, or are refused."""

from __future__ import annotations

import numpy as np
import pytest

from mnist_tasks.data.datasets import FASHION_MNIST
from mnist_tasks.dataset_info import MNIST, DatasetInfo
from mnist_tasks.errors import InputRefusedError
from mnist_tasks.predicting import dataset_image
from mnist_tasks.predicting.preparation import prepare
from tests.predicting.drawings import FIVE, ZERO, draw

COLOR = DatasetInfo(name="signs", title="Signs", image_shape=(20, 24, 3), classes=("a", "b"))
RAMP = np.arange(56 * 56, dtype=np.uint8).reshape(56, 56)


def of(pixels: np.ndarray, info: DatasetInfo = MNIST, *, raw: bool = False) -> np.ndarray:
    return dataset_image.prepare(pixels, info, raw=raw, subject="photo.png")


def refusal(pixels: np.ndarray, info: DatasetInfo = MNIST, *, raw: bool = False) -> str:
    with pytest.raises(InputRefusedError) as caught:
        of(pixels, info, raw=raw)
    assert caught.value.subject == "photo.png"
    assert caught.value.remedy
    return caught.value.reason


def test_a_digit_is_prepared() -> None:
    gray = draw(FIVE)
    for pixels in (gray, np.dstack([gray] * 3)):
        np.testing.assert_array_equal(of(pixels), prepare(gray).image)


@pytest.mark.parametrize(("info", "raw"), [(MNIST, True), (FASHION_MNIST.info, False)])
def test_a_raw_picture_and_one_of_another_data_set_are_only_resized(
    info: DatasetInfo, raw: bool
) -> None:
    small = RAMP[:28, :28]
    np.testing.assert_array_equal(of(small, info, raw=raw), small)
    averages = RAMP.reshape(28, 2, 28, 2).mean((1, 3))
    np.testing.assert_allclose(of(RAMP, info, raw=raw), averages, atol=0.51)


def test_an_image_has_the_shape_of_the_data_set() -> None:
    color = np.dstack([RAMP, RAMP.T, 255 - RAMP])
    found = of(color, COLOR)
    assert found.shape == (20, 24, 3)
    assert found.dtype == np.uint8
    np.testing.assert_allclose(found.mean((0, 1)), color.mean((0, 1)), atol=1)
    assert of(RAMP, COLOR).shape == (20, 24, 3)
    assert of(color, FASHION_MNIST.info).shape == (28, 28)


def test_a_blank_picture_is_not_a_confident_one() -> None:
    blank = np.full((60, 80), 200, np.uint8)
    assert refusal(blank) == "picture-blank"
    assert refusal(blank, raw=True) == "picture-blank"
    assert refusal(blank, COLOR) == "picture-blank"
    assert refusal(np.full((60, 80, 3), (200, 20, 20), np.uint8), COLOR) == "picture-blank"


def test_several_digits_are_said_to_be_several() -> None:
    assert refusal(draw(FIVE, ZERO, size=(120, 220))) == "several-digits"
