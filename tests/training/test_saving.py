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
from mnist_tasks.vetting import sandbox

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("tensorflow")]


def load(path: Path) -> Any:
    import keras

    keras.utils.set_random_seed(3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return keras.models.load_model(path)


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_a_saved_model_is_trained_on(
    small_mnist: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, suffix: str
) -> None:
    digits = store.load(small_mnist, "train")
    output = tmp_path / f"model{suffix}"
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # as PYTHONWARNINGS=error does
        run.train(TrainingConfig(epochs=4, batch_size=32, output=output), lambda: digits)

    caplog.set_level(logging.WARNING)
    model = load(output)
    assert type(model.optimizer).__name__ == "Adagrad"
    assert float(model.optimizer.learning_rate) == pytest.approx(0.015)
    assert "sparse_categorical_crossentropy" in str(model.loss)
    pixels = digits.images[..., np.newaxis] / np.float32(255)
    before, accuracy = model.evaluate(pixels, digits.labels, verbose=0)
    model.fit(pixels, digits.labels, verbose=0)
    after, better = model.evaluate(pixels, digits.labels, verbose=0)
    assert after < before
    assert better >= accuracy
    # Keras writes this about every compiled .h5 file that it loads.
    others = [each for each in caplog.messages if not each.startswith("Compiled the loaded model")]
    assert others == []

    again = load(output)
    again.fit(pixels, digits.labels, verbose=0)
    assert all(map(np.array_equal, again.get_weights(), model.get_weights()))
    assert sandbox.vet(output).parameters == model.count_params()


def test_a_model_keeps_its_optimizer_for_what_the_user_saves_later(tmp_path: Path) -> None:
    import keras

    from mnist_tasks.training import saving

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    model.compile(keras.optimizers.SGD(0.05, momentum=0.9), "mse")
    model.optimizer.build(model.trainable_variables)
    before = saving.content(model, ".h5")
    model.save(tmp_path / "own.keras")
    loaded = load(tmp_path / "own.keras")
    assert type(loaded.optimizer).__name__ == "SGD"
    assert loaded.optimizer.momentum == 0.9
    assert saving.content(model, ".h5") == before
