"""Models of other data sets: images of any size, in color, and other numbers of classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mnist_tasks.vetting import sandbox
from mnist_tasks.vetting.limits import Limits

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from mnist_tasks.vetting.inspection import Inspection

pytestmark = pytest.mark.usefixtures("tensorflow")


def images(count: int, *shape: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (count, *shape), np.uint8)


def save(path: Path, shape: tuple[int | None, ...], classes: int, filters: int = 8) -> Any:
    """Save a small convolutional network, and return it."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input(shape),
            layers.Conv2D(filters, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(2 * filters, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.GlobalAveragePooling2D(),
            layers.Dense(classes, activation="softmax"),
        ]
    )
    model.save(path)
    return model


def predicts_as_in_keras(found: Inspection, model: Any, given: NDArray[np.uint8]) -> None:
    assert found.no_predictions_reason is None
    expected = model.predict(given / np.float32(255), verbose=0)
    np.testing.assert_allclose(found.probabilities["test"], expected, atol=1e-5)


def test_color_images_in_four_classes(tmp_path: Path) -> None:
    path = tmp_path / "model.h5"
    model, given = save(path, (20, 24, 3), 4), images(60, 20, 24, 3)
    found = sandbox.inspect(path, image_sets={"test": given}, classes=4)
    predicts_as_in_keras(found, model, given)
    assert found.other_pixels["0-255"].shape == (60, 4)  # all: two would say nothing


def test_open_sizes_are_those_of_the_images(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    model, given = save(path, (None, None, 3), 100), images(20, 64, 64, 3)
    found = sandbox.inspect(path, image_sets={"test": given}, classes=100)
    predicts_as_in_keras(found, model, given)
    assert found.input_shapes == ((None, 64, 64, 3),)


def test_a_model_of_another_data_set_makes_no_predictions(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    save(path, (20, 24, 3), 4)
    found = sandbox.inspect(path, image_sets={"test": images(2, 28, 28)})
    assert found.no_predictions_reason == "its output has the shape (None, 4), not (None, 10)"
    found = sandbox.inspect(path, image_sets={"test": images(2, 28, 28)}, classes=4)
    assert found.no_predictions_reason == (
        "it takes images of 20 x 24 pixels: set input_shape and fit in the contract"
    )


@pytest.mark.slow
def test_a_usual_network_for_the_largest_images_is_within_the_limits(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    model, given = save(path, (64, 64, 3), 100, filters=32), images(200, 64, 64, 3)
    sets = {"test": given}
    found = sandbox.inspect(path, image_sets=sets, classes=100)
    assert "23,235,016 operations" in (found.no_predictions_reason or "")
    limits = Limits().raised(file_bytes=None, parameters=0, pixels=64 * 64)
    found = sandbox.inspect(path, image_sets=sets, classes=100, limits=limits)
    predicts_as_in_keras(found, model, given)
