"""Which labels a user's loss wants, and which trainer can train her model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mnist_tasks.errors import InputRefusedError

if TYPE_CHECKING:
    from mnist_tasks.training.user_loss import Loss

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("tensorflow")]


def sequential(*more: Any, activation: str | None = "softmax", **compiled: Any) -> Any:
    import keras

    layers = [keras.Input((4,)), *more, keras.layers.Dense(3, activation=activation)]
    model = keras.Sequential(layers)
    model.compile(**{"optimizer": "adam", "loss": "sparse_categorical_crossentropy", **compiled})
    return model


def loss_of(model: Any) -> Loss:
    from mnist_tasks.training import user_loss

    outputs = model(np.random.default_rng(0).random((6, 4), np.float32))
    return user_loss.of(model, np.asarray(outputs), "net.py:1")


def why(model: Any) -> str:
    from mnist_tasks.training import user_loss

    return user_loss.why_not_fast(model, loss_of(model))


# The loss, the activation, whether it wants one-hot labels, whether the fast trainer knows it.
LOSSES: dict[str, tuple[str | None, bool, bool]] = {
    "'sparse_categorical_crossentropy'": ("softmax", False, True),
    "'categorical_crossentropy'": ("softmax", True, True),
    "'ce'": ("softmax", False, True),
    "['sparse_categorical_crossentropy']": ("softmax", False, True),
    "losses.sparse_categorical_crossentropy": ("softmax", False, True),
    "losses.SparseCategoricalCrossentropy(from_logits=True)": (None, False, True),
    "losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)": (None, True, True),
    "losses.SparseCategoricalCrossentropy(reduction='sum')": ("softmax", False, False),
    "losses.SparseCategoricalCrossentropy(ignore_class=1)": ("softmax", False, False),
    "losses.CategoricalFocalCrossentropy()": ("softmax", True, False),
    "'mse'": ("softmax", True, False),
    "'kl_divergence'": ("softmax", True, False),
    "'binary_crossentropy'": ("sigmoid", True, False),
    "lambda y, p: losses.sparse_categorical_crossentropy(y, p)": ("softmax", False, False),
    "lambda y, p: losses.categorical_crossentropy(y, p)": ("softmax", True, False),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_a_loss_gets_the_labels_it_wants(loss: str) -> None:
    from keras import losses

    activation, one_hot, is_known = LOSSES[loss]
    model = sequential(activation=activation, loss=eval(loss, {"losses": losses}))  # noqa: S307
    found = loss_of(model)
    assert found.one_hot == one_hot
    assert (found.function is not None) == is_known
    assert (why(model) == "") == is_known


def test_the_only_output_can_be_named() -> None:
    import keras

    inputs = keras.Input((4,))
    outputs = keras.layers.Dense(3, activation="softmax", name="digit")(inputs)
    model = keras.Model(inputs, outputs)
    loss = "sparse_categorical_crossentropy"
    for metrics in ({"digit": "accuracy"}, {"digit": ["accuracy"]}, [["accuracy"]]):
        model.compile("adam", {"digit": loss}, metrics=metrics)
        assert loss_of(model).name == loss
        assert why(model) == ""
    model.compile("adam", {"digit": loss}, metrics={"digit": ["top_k_categorical_accuracy"]})
    assert why(model) == "other metrics"
    model.compile("adam", {"number": loss})
    with pytest.raises(InputRefusedError, match="a loss for number") as caught:
        loss_of(model)
    assert caught.value.expected == "a loss for the output digit"
    with pytest.raises(InputRefusedError, match="a loss for digit"):
        loss_of(sequential(loss={"digit": loss}))


def test_logits_with_a_loss_of_probabilities_are_refused() -> None:
    with pytest.raises(InputRefusedError) as caught:
        loss_of(sequential(activation=None))
    assert "from_logits=True" in str(caught.value.remedy)
    assert caught.value.reason == "network-output-logits"


def test_only_fit_trains_what_the_fast_trainer_would_train_wrongly() -> None:
    import keras
    from keras import layers

    class Own(keras.layers.Layer):  # type: ignore[misc]
        def call(self, inputs: Any) -> Any:
            return inputs

    frozen = layers.Dense(4, trainable=False)
    reasons = {
        "regularization": [sequential(layers.Dense(4, kernel_regularizer="l2"))],
        "other metrics": [sequential(metrics=["accuracy", "top_k_categorical_accuracy"])],
        "loss weights": [sequential(loss_weights=[2.0])],
        "run_eagerly=True": [sequential(run_eagerly=True)],
        "an optimizer that scales the loss": [
            sequential(optimizer=keras.optimizers.SGD(loss_scale_factor=8.0)),
            sequential(optimizer=keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD())),
        ],
        "layers that compute in another precision than float32": [
            sequential(layers.Dense(4, dtype="mixed_bfloat16"))
        ],
        "a layer of the class Own": [sequential(Own()), sequential(keras.Sequential([Own()]))],
        "layers with a state, or that are not trained": [
            sequential(frozen),
            sequential(keras.Sequential([frozen])),
            sequential(layers.BatchNormalization(trainable=False)),
            sequential(layers.Normalization(mean=0.5, variance=1.0), layers.Dense(4)),
        ],
    }
    for reason, models in reasons.items():
        expected = "" if reason == "layers with a state" else reason
        assert [why(model) for model in models[:3]] == [expected] * len(models[:3])
    activity = sequential(layers.Dense(4, activity_regularizer="l2"))
    assert why(activity) == "regularization"


def test_the_fast_trainer_trains_the_usual_layers() -> None:
    import keras
    from keras import layers

    for model in (
        sequential(layers.Dense(4), layers.BatchNormalization(), layers.Dropout(0.1)),
        sequential(keras.Sequential([layers.Dense(4), layers.BatchNormalization()])),
        sequential(layers.Rescaling(2.0), layers.GaussianNoise(0.1), metrics=["acc"]),
        sequential(layers.Reshape((4, 1)), layers.GRU(4, dropout=0.1, recurrent_dropout=0.1)),
    ):
        assert why(model) == ""
