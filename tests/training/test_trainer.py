"""The trainer computes what Keras's own ``fit`` computes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from mnist_tasks.training import recipes
from mnist_tasks.training.layer_specs import BatchNorm, Conv, Dropout, MaxPool
from mnist_tasks.training.recipe import Recipe
from tests import generated

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("tensorflow")]
SMALL = replace(
    recipes.PLAIN,
    layers=(Conv(filters=4, kernel=5, stride=3), BatchNorm(), MaxPool(), Conv(filters=6, kernel=2)),
)
STEPS, BATCH = 6, 20


@pytest.fixture(autouse=True)
def seeded(tensorflow: None) -> None:
    """Start every test from the same weights, whatever ran before."""
    import keras

    keras.utils.set_random_seed(0)


def batches() -> tuple[np.ndarray, np.ndarray]:
    images, labels = generated.digits(STEPS * BATCH)
    return images.reshape(STEPS, BATCH, 28, 28), labels.reshape(STEPS, BATCH).astype(np.int32)


def trainer(
    model: Any,
    *,
    micro_batches: int,
    rate: float = 0.05,
    ema_momentum: float = 0.0,
    in_vectors: bool = True,
    weight_decay: float = 0.0,
    **losses: Any,
) -> Any:
    from mnist_tasks.training.model import build_optimizer
    from mnist_tasks.training.trainer import Trainer
    from mnist_tasks.training.weights import Weights, WeightVectors

    recipe = replace(
        SMALL, learning_rate=rate, ema_momentum=ema_momentum, weight_decay=weight_decay
    )
    return Trainer(
        model,
        build_optimizer(recipe, steps=STEPS),
        micro_batches=micro_batches,
        weights=WeightVectors(model) if in_vectors else Weights(model),
        **losses,
    )


def training_model(recipe: Recipe = SMALL) -> Any:
    from mnist_tasks.training.model import build_training_model

    return build_training_model(recipe)


@pytest.mark.parametrize("in_vectors", [False, True])
def test_it_takes_the_same_steps_as_keras(in_vectors: bool) -> None:
    import keras

    ours, theirs = training_model(), training_model()
    theirs.set_weights(ours.get_weights())
    before = ours.get_weights()
    images, labels = batches()

    training = trainer(ours, micro_batches=1, in_vectors=in_vectors)
    loss, correct = training.run(images, labels)
    training.finish()

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

    for own, keras_own, old in zip(ours.get_weights(), theirs.get_weights(), before, strict=True):
        np.testing.assert_allclose(own, keras_own, atol=2e-5)
        assert not np.array_equal(own, old)
    assert loss / labels.size == pytest.approx(history["loss"][0], rel=1e-4)
    assert correct / labels.size == pytest.approx(history["accuracy"][0])


def test_without_batch_normalization_micro_batches_change_nothing() -> None:
    recipe = replace(SMALL, layers=(Conv(filters=4, kernel=5, stride=3),))
    one, three = training_model(recipe), training_model(recipe)
    three.set_weights(one.get_weights())
    images, labels = batches()
    for model, micro_batches in ((one, 1), (three, 3)):
        training = trainer(model, micro_batches=micro_batches)
        training.run(images, labels)
        training.finish()
    for first, second in zip(one.get_weights(), three.get_weights(), strict=True):
        np.testing.assert_allclose(first, second, atol=1e-5)


@pytest.mark.parametrize("weight_decay", [0.0, 0.5])
def test_what_saves_operations_changes_no_number(weight_decay: float) -> None:
    import keras

    images, labels = batches()
    trained = []
    for saves in (False, True):
        keras.utils.set_random_seed(0)
        recipe = replace(recipes.DEFAULT, ema_momentum=0.9 if saves else 0.0)
        model = training_model(recipe)
        training = trainer(
            model,
            micro_batches=2,
            ema_momentum=0.9,
            in_vectors=saves,
            weight_decay=weight_decay,
        )
        training.run(images, labels)
        training.finish()
        trained.append([np.asarray(each) for each in model.trainable_variables])
        statistics = [np.asarray(each) for each in model.non_trainable_variables[:2]]
        assert all((each == each[0]).all() for each in statistics) == saves
    for first, second in zip(*trained, strict=True):
        np.testing.assert_array_equal(first, second)


def test_statistics_are_averaged_over_micro_batches() -> None:
    recipe = replace(SMALL, layers=(BatchNorm(momentum=0.0),))
    model = training_model(recipe)
    images, labels = batches()
    trainer(model, micro_batches=2).run(images[:1], labels[:1])
    _, variance = model.non_trainable_variables
    halves = images[0].reshape(2, -1) / 255
    assert float(variance[0]) == pytest.approx(halves.var(axis=1).mean(), rel=1e-5)


def test_the_model_gets_the_moving_average_of_its_weights() -> None:
    images, labels = batches()
    start = training_model()
    weights = []
    for steps, ema_momentum in ((1, 0.0), (2, 0.0), (2, 0.5)):
        model = training_model()
        model.set_weights(start.get_weights())
        training = trainer(model, micro_batches=1, ema_momentum=ema_momentum)
        training.run(images[:steps], labels[:steps])
        training.finish()
        weights.append([np.asarray(each) for each in model.trainable_variables])
    for first, second, mean in zip(*weights, strict=True):
        assert not np.array_equal(first, second)
        np.testing.assert_allclose(mean, (first + second) / 2, atol=1e-6)


def test_each_micro_batch_and_each_step_has_its_own_dropout() -> None:
    import tensorflow as tf

    recipe = replace(SMALL, layers=(Dropout(rate=0.5),))
    model = training_model(recipe)
    seen = []
    whole_call = model.stateless_call

    def spy(variables: Any, states: Any, images: Any, training: bool) -> Any:
        (seed,) = states
        tf.py_function(lambda value: seen.append(tuple(value.numpy())), [seed], [])
        return whole_call(variables, states, images, training=training)

    model.stateless_call = spy
    images, labels = batches()
    trainer(model, micro_batches=2).run(images[:3], labels[:3])
    assert len(set(seen)) == len(seen) == 3 * 2


def test_it_learns_with_dropout_and_batches_of_any_size() -> None:
    layers = (Conv(filters=8, kernel=5, stride=3), BatchNorm(), Conv(filters=16, kernel=3))
    recipe = replace(SMALL, layers=(*layers, Dropout(rate=0.1)))
    model = training_model(recipe)
    training = trainer(model, micro_batches=2, rate=0.2)
    images, labels = generated.digits(420)
    shares = []
    for size in (20, 19, 4, 20, 20, 20, 20, 20):
        taken = slice(0, size * STEPS)
        _, correct = training.run(
            images[taken].reshape(STEPS, size, 28, 28),
            labels[taken].reshape(STEPS, size).astype(np.int32),
        )
        shares.append(correct / (size * STEPS))
    assert shares[-1] > 0.8 > shares[0]


def test_smoothed_labels_are_those_of_keras() -> None:
    import keras
    import tensorflow as tf

    from mnist_tasks.training.trainer import of_smoothed_logits

    logits = np.random.default_rng(0).normal(0, 3, (20, 10)).astype(np.float32)
    labels = np.arange(20, dtype=np.int32) % 10
    parts = [tf.constant(logits[:7]), tf.constant(logits[7:])]
    found = of_smoothed_logits(0.2, tf.constant(labels), parts)
    loss = keras.losses.CategoricalCrossentropy(
        from_logits=True, label_smoothing=0.2, reduction=None
    )
    expected = loss(tf.one_hot(labels, 10), logits)
    np.testing.assert_allclose(np.asarray(found), np.asarray(expected), rtol=1e-5)


def test_the_loss_that_is_shown_can_be_another_than_the_one_that_is_trained() -> None:
    from functools import partial

    from mnist_tasks.training.trainer import of_logits, of_smoothed_logits

    images, labels = batches()
    smoothed = partial(of_smoothed_logits, 0.5)
    start = training_model().get_weights()
    results = []
    for losses, shown in ((None, None), (smoothed, of_logits), (smoothed, None)):
        model = training_model()
        model.set_weights(start)
        training = trainer(model, micro_batches=2, losses=losses, shown_losses=shown)
        first, _ = training.run(images[:1], labels[:1])
        training.finish()
        results.append((first, model.get_weights()[0]))
    (plain, plain_weights), (shown, weights), (trained, same_weights) = results
    assert shown == pytest.approx(plain) != pytest.approx(trained)
    np.testing.assert_array_equal(weights, same_weights)
    assert not np.allclose(weights, plain_weights)
