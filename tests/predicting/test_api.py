"""`mnist_tasks.predict`, with a real model in the sandbox."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import mnist_tasks
from mnist_tasks.api import predicting
from mnist_tasks.errors import InputRefusedError, UsageError
from mnist_tasks.predicting.preparation import prepare
from tests.conftest import Run
from tests.predicting import template_model
from tests.predicting.drawings import FIVE, draw

SCRIPT = """
import numpy as np
from PIL import Image
import mnist_tasks
from mnist_tasks.checking.contract import Contract

photo = Image.open("photo.png")
dim = np.load("dim.npy")
for each in (
    mnist_tasks.predict(photo, model="model.h5"),
    mnist_tasks.predict(dim, model="model.h5", raw=True, contract=Contract(pixels="0-255")),
):
    print(each.predicted, each.runner_up, each.probability, each.runner_up_probability)
    print(*each.probabilities)
    print(*each.image.ravel())
"""


def test_a_prediction_has_its_class_the_runner_up_and_what_the_model_saw(
    python: Callable[..., Run], tmp_path: Path
) -> None:
    (tmp_path / "model.h5").write_bytes(template_model.content())
    Image.fromarray(draw(FIVE)).save(tmp_path / "photo.png")
    image = prepare(draw(FIVE)).image
    dim = image // 64  # the contract says which range of pixels the model takes
    np.save(tmp_path / "dim.npy", dim)
    done = python("-c", SCRIPT)
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    expected = {
        0: (image, template_model.probabilities(image)),
        3: (dim, template_model.probabilities(dim, scale=255)),
    }
    assert len(lines) == 6
    for at, (seen, shares) in expected.items():
        (first, second, *two), each, pixels = lines[at : at + 3]
        assert [first, second] == [str(label) for label in np.argsort(-shares)[:2]]
        assert two == sorted(each, key=float)[:-3:-1]
        np.testing.assert_allclose([float(share) for share in each], shares, atol=1e-4)
        np.testing.assert_array_equal([int(pixel) for pixel in pixels], seen.ravel())
    assert lines[0][0] == "5"


def test_an_error_is_about_the_picture_or_about_the_model(tmp_path: Path) -> None:
    with pytest.raises(InputRefusedError) as caught:
        mnist_tasks.predict(tmp_path / "none.png")
    assert caught.value.subject == str(tmp_path / "none.png")
    with pytest.raises(InputRefusedError, match=r"none\.h5"):
        mnist_tasks.predict(draw(FIVE), model=tmp_path / "none.h5")


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((2, 28, 28), np.uint8),
        np.zeros((28, 28), np.int64),
        np.full((28, 28), 2.0),
        np.full((28, 28), np.nan),
        np.zeros((0, 4), np.uint8),
        np.zeros(784, np.uint8),
    ],
)
def test_an_array_of_another_kind_is_wrong_usage(array: Any) -> None:
    with pytest.raises(UsageError, match="picture"):
        mnist_tasks.predict(array)


def test_floats_and_booleans_are_pixels_too() -> None:
    for array in (np.eye(3, dtype=bool), np.eye(3), np.eye(3, dtype=np.float32)):
        np.testing.assert_array_equal(predicting._pixels(array), 255 * np.eye(3, dtype=np.uint8))
