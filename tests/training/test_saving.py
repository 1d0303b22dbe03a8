"""Models that this package saves can be trained further."""

from __future__ import annotations

import logging
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mnist_tasks.config import TrainingConfig
from mnist_tasks.data import store
from mnist_tasks.training import run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("tensorflow")]


@pytest.fixture(params=[".h5", ".keras"])
def trained(request: pytest.FixtureRequest, small_mnist: Path, tmp_path: Path) -> Path:
    output = tmp_path / f"model{request.param}"
    config = TrainingConfig(epochs=4, batch_size=32, output=output)
    run.train(config, lambda: store.load(small_mnist, "train"))
    return output


def load(path: Path) -> Any:
    import keras

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return keras.models.load_model(path)


def test_a_saved_model_is_trained_on(
    trained: Path, small_mnist: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    model = load(trained)
    assert type(model.optimizer).__name__ == "Adagrad"
    assert float(model.optimizer.learning_rate) == pytest.approx(0.015)
    assert "sparse_categorical_crossentropy" in str(model.loss)
    digits = store.load(small_mnist, "train")
    pixels = digits.images[..., np.newaxis] / np.float32(255)
    before, accuracy = model.evaluate(pixels, digits.labels, verbose=0)
    model.fit(pixels, digits.labels, epochs=2, verbose=0)
    after, better = model.evaluate(pixels, digits.labels, verbose=0)
    assert after < before
    assert better >= accuracy
    # Keras writes this about every compiled .h5 file that it loads.
    others = [each for each in caplog.messages if not each.startswith("Compiled the loaded model")]
    assert others == []


def test_a_model_of_the_same_seed_is_trained_on_alike(trained: Path, small_mnist: Path) -> None:
    import keras

    digits = store.load(small_mnist, "train")
    pixels = digits.images[..., np.newaxis] / np.float32(255)
    weights = []
    for _ in range(2):
        keras.utils.set_random_seed(3)
        model = load(trained)
        model.fit(pixels, digits.labels, verbose=0)
        weights.append(model.get_weights())
    assert all(map(np.array_equal, *weights))


def test_a_saved_model_passes_the_static_check(trained: Path) -> None:
    from mnist_tasks.vetting import sandbox

    assert sandbox.vet(trained).parameters > 20_000
