"""The training loop does what Keras's own ``fit`` does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mnist_tasks.training import network, recipes
from mnist_tasks.training.engine import Trainer
from mnist_tasks.training.recipes import BatchNorm, Conv, Dropout, MaxPool
from tests import generated

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("tensorflow")]
SMALL = replace(
    recipes.PLAIN,
    layers=(Conv(filters=4, kernel=5, stride=3), BatchNorm(), MaxPool(), Conv(filters=6, kernel=2)),
)
STEPS, BATCH = 6, 20


def batches() -> tuple[np.ndarray, np.ndarray]:
    images, labels = generated.digits(STEPS * BATCH)
    return images.reshape(STEPS, BATCH, 28, 28), labels.reshape(STEPS, BATCH).astype(np.int32)


def rates(value: float = 0.05) -> np.ndarray:
    return np.full(STEPS, value, np.float32)


def test_it_takes_the_steps_that_keras_takes() -> None:
    import keras

    ours, theirs = network.build_trainee(SMALL), network.build_trainee(SMALL)
    theirs.set_weights(ours.get_weights())
    before = ours.get_weights()
    images, labels = batches()

    trainer = Trainer(ours, accumulator=0.1, towers=1)
    loss, correct = trainer.run(images, labels, rates(), rates(0))
    trainer.finish()

    theirs.compile(
        optimizer=keras.optimizers.Adagrad(0.05, initial_accumulator_value=0.1),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    history = theirs.fit(
        images.reshape(-1, 28, 28, 1) / np.float32(255),
        labels.ravel(),
        batch_size=BATCH,
        shuffle=False,
        verbose=0,
    ).history

    for mine, keras_own, old in zip(ours.get_weights(), theirs.get_weights(), before, strict=True):
        np.testing.assert_allclose(mine, keras_own, atol=2e-5)
        assert not np.array_equal(mine, old)
    assert loss / labels.size == pytest.approx(history["loss"][0], rel=1e-4)
    assert correct / labels.size == pytest.approx(history["accuracy"][0])


def test_without_statistics_of_a_batch_towers_change_nothing() -> None:
    recipe = replace(SMALL, layers=(Conv(filters=4, kernel=5, stride=3),))
    one, three = network.build_trainee(recipe), network.build_trainee(recipe)
    three.set_weights(one.get_weights())
    images, labels = batches()
    for model, towers in ((one, 1), (three, 3)):
        trainer = Trainer(model, accumulator=0.1, towers=towers)
        trainer.run(images, labels, rates(), rates(0))
        trainer.finish()
    for mine, other in zip(one.get_weights(), three.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-5)


def test_towers_average_the_statistics_of_their_parts() -> None:
    recipe = replace(SMALL, layers=(BatchNorm(momentum=0.0),))
    model = network.build_trainee(recipe)
    images, labels = batches()
    trainer = Trainer(model, accumulator=0.1, towers=2)
    trainer.run(images[:1], labels[:1], rates()[:1], rates(0)[:1])
    trainer.finish()
    _, variance = model.non_trainable_variables
    halves = images[0].reshape(2, -1) / 255
    assert float(variance[0]) == pytest.approx(halves.var(axis=1).mean(), rel=1e-4)


def test_the_model_gets_the_average_of_the_weights() -> None:
    images, labels = batches()
    start = network.build_trainee(SMALL)
    weights = []
    for kept in (0.0, 0.5, 1.0):
        model = network.build_trainee(SMALL)
        model.set_weights(start.get_weights())
        trainer = Trainer(model, accumulator=0.1, towers=1)
        trainer.run(images[:1], labels[:1], rates()[:1], rates(kept)[:1])
        trainer.finish()
        weights.append(model.get_weights())
    for last, half, first, old in zip(*weights, start.get_weights(), strict=True):
        np.testing.assert_array_equal(first, old)
        np.testing.assert_allclose(half, (last + old) / 2, atol=1e-6)


def test_each_part_and_each_step_drops_out_activations_of_its_own() -> None:
    import tensorflow as tf

    recipe = replace(SMALL, layers=(Dropout(rate=0.5),))
    model = network.build_trainee(recipe)
    seen = []
    whole_call = model.stateless_call

    def spy(variables: Any, states: Any, images: Any, training: bool) -> Any:
        (seed,) = states
        tf.py_function(lambda value: seen.append(tuple(value.numpy())), [seed], [])
        return whole_call(variables, states, images, training=training)

    model.stateless_call = spy
    images, labels = batches()
    trainer = Trainer(model, accumulator=0.1, towers=2)
    trainer.run(images[:3], labels[:3], rates()[:3], rates(0)[:3])
    assert len(set(seen)) == len(seen) == 3 * 2


def test_it_learns_with_dropout_and_batches_of_any_size() -> None:
    layers = (Conv(filters=8, kernel=5, stride=3), BatchNorm(), Conv(filters=16, kernel=3))
    recipe = replace(SMALL, layers=(*layers, Dropout(rate=0.1)))
    model = network.build_trainee(recipe)
    trainer = Trainer(model, accumulator=0.1, towers=2)
    images, labels = generated.digits(420)
    shares = []
    for size in (20, 19, 4, 20, 20, 20, 20, 20):
        taken = slice(0, size * STEPS)
        _, correct = trainer.run(
            images[taken].reshape(STEPS, size, 28, 28),
            labels[taken].reshape(STEPS, size).astype(np.int32),
            rates(0.2),
            rates(0),
        )
        shares.append(correct / (size * STEPS))
    assert shares[-1] > 0.8 > shares[0]
