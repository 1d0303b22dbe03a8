"""The statistics of batch normalization, compared with those that Keras computes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mnist_tasks.config import TrainingConfig
from mnist_tasks.data import store
from mnist_tasks.training import recipes, run
from tests import generated

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("tensorflow")]


def statistics(model: Any) -> list[np.ndarray]:
    import keras

    layers = [each for each in model.layers if isinstance(each, keras.layers.BatchNormalization)]
    assert len(layers) == 3
    return [np.asarray(each) for layer in layers for each in layer.non_trainable_variables]


def as_keras_would(model: Any, images: np.ndarray) -> list[np.ndarray]:
    """Return the statistics of one batch, which a momentum of 0 gives."""
    for layer in model.layers:
        if hasattr(layer, "momentum"):
            layer.momentum = 0.0
    model(images[..., np.newaxis] / np.float32(255), training=True)
    return statistics(model)


def test_statistics_are_recomputed_layer_by_layer() -> None:
    import keras

    from mnist_tasks.training import normalization
    from mnist_tasks.training.model import build_model

    images, _ = generated.digits(64)
    model = build_model(recipes.DEFAULT)
    other = keras.models.clone_model(model)
    other.set_weights(model.get_weights())
    normalization.recompute(model, images)
    for own, expected in zip(statistics(model), as_keras_would(other, images), strict=True):
        np.testing.assert_allclose(own, expected, rtol=1e-3, atol=1e-5)


def test_statistics_are_means_over_batches() -> None:
    from mnist_tasks.training import normalization
    from mnist_tasks.training.model import build_model

    images, _ = generated.digits(2 * normalization.BATCH)
    halves = images[: normalization.BATCH], images[normalization.BATCH :]
    model = build_model(recipes.DEFAULT)
    found = []
    for each in (*halves, images):
        normalization.recompute(model, each)
        found.append(statistics(model))
    for first, second, both in zip(*found, strict=True):
        np.testing.assert_allclose(both, (first + second) / 2, rtol=1e-4, atol=1e-6)
        assert not np.allclose(first, both, rtol=1e-4)
    normalization.recompute(model, images[: normalization.BATCH + 1])
    for first, again in zip(found[0], statistics(model), strict=True):
        np.testing.assert_allclose(again, first, rtol=0.05, atol=1e-3)  # by a single image more


@pytest.mark.parametrize("ema_momentum", [0.0, 0.5])
def test_only_averaged_weights_need_statistics_of_their_own(
    small_mnist: Path, tmp_path: Path, ema_momentum: float
) -> None:
    import keras

    config = TrainingConfig(
        limit=64,
        settings=(("ema_momentum", ema_momentum),),
        output=tmp_path / "model.h5",
        batch_size=32,
    )
    run.train(config, lambda: store.load(small_mnist, "train"))
    model = keras.models.load_model(config.output, compile=False)
    saved = statistics(model)
    fresh = as_keras_would(model, np.array(store.load(small_mnist, "train").images[:64]))
    same = [np.allclose(*pair, rtol=1e-3, atol=1e-5) for pair in zip(saved, fresh, strict=True)]
    assert same == [ema_momentum > 0] * 6
