"""What is known about a training by `model.fit`."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("tensorflow")]


def model(outputs: int = 1) -> Any:
    import keras

    inputs = keras.Input((4,))
    layers = [keras.layers.Dense(3, "softmax", name=name) for name in "ab"[:outputs]]
    return keras.Model(inputs, [layer(inputs) for layer in layers])


def test_the_losses_of_several_outputs_are_named() -> None:
    from mnist_tasks.training import fit_facts

    for loss in ({"a": "mse", "b": "mae"}, ["mse", "mae"]):
        found = model(outputs=2)
        found.compile("adam", loss)
        assert fit_facts.optimizer(found)["loss"] == "mse, mae"


def test_the_learning_rate_is_that_of_the_optimizer_whose_loss_is_scaled() -> None:
    import keras

    from mnist_tasks.training import fit_facts

    found = model()
    found.compile(keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.25)), "mse")
    known = {"optimizer": "LossScaleOptimizer", "learning_rate": 0.25, "loss": "mse"}
    assert fit_facts.optimizer(found) == known
