"""The models of the gate's self-test: ``python -m tests.checking.gate_models FOLDER``.

They are trained in a separate process, so that the tests' own never loads TensorFlow.
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from mnist_tasks.data.store import LabeledImages
from tests import generated

MISLABELED = 25  # one label in this many is wrong; no honest model can predict it


def digits(count: int, seed: int) -> LabeledImages:
    images, labels = generated.digits(count, seed)
    labels[::MISLABELED] = (labels[::MISLABELED] + 1) % 10
    return LabeledImages(images=images, labels=labels)


@cache
def train_digits() -> LabeledImages:
    return digits(2_000, seed=1)


@cache
def test_digits() -> LabeledImages:
    return digits(500, seed=2)


def network(
    *, shape: tuple[int, ...] = (28, 28, 1), classes: int = 10, width: int = 16, inputs: int = 1
) -> Any:
    from keras import Input, Model, layers

    given = [Input(shape) for _ in range(inputs)]
    x = layers.Add()(given) if inputs > 1 else given[0]
    x = layers.Reshape((*shape[:2], 1))(x)
    x = layers.Conv2D(8, 5, strides=2, activation="relu")(x)
    x = layers.BatchNormalization(momentum=0.9)(x)
    x = layers.Conv2D(width, 3, activation="relu")(x)
    x = layers.MaxPooling2D()(x)
    x = layers.Flatten()(x)
    x = layers.Dropout(0.1)(x)
    x = layers.Dense(48, activation="relu")(x)
    return Model(given, layers.Dense(classes, activation="softmax")(x))


def trained(digits: LabeledImages, *, epochs: int, labels: Any = None, **options: Any) -> Any:
    model = network(**options)
    # XLA takes longer to compile these models than they take to train.
    model.compile("adam", "sparse_categorical_crossentropy", jit_compile=False)
    images = digits.images.reshape(-1, *model.input_shape[1:]) / np.float32(255)
    labels = digits.labels if labels is None else labels
    model.fit(images, labels, batch_size=50, epochs=epochs, verbose=0)
    return model


def main(folder: Path) -> None:
    import keras

    keras.utils.set_random_seed(0)
    train = train_digits()
    shuffled = np.random.default_rng(0).permutation(train.labels)
    good = trained(train, epochs=5)
    models = {
        "good.h5": good,
        "good.keras": good,
        "untrained.h5": network(),
        "shuffled.h5": trained(train, epochs=2, labels=shuffled),
        "oversized.h5": trained(train, epochs=5, width=32),
        "no_channel.h5": trained(train, epochs=5, shape=(28, 28)),
        "wrong_input.h5": network(shape=(32, 32, 1), width=8),
        "wrong_output.h5": network(classes=11),
        "two_inputs.h5": network(inputs=2),
        "leaked.h5": trained(test_digits(), epochs=60),
    }
    for name, model in models.items():
        keras.Model(model.inputs, model.outputs).save(folder / name)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
