"""The network of this project. `invoke` trains it, checks it and reports on it."""

import keras
from keras import layers


def build(input_shape: tuple[int, int, int], classes: int) -> keras.Model:
    """Return the model to train.

    `input_shape` is that of an image: (28, 28, 1) for MNIST. The pixels are from 0 to 1. The model
    gives one value per class, ten for MNIST.
    """
    model = keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Conv2D(16, kernel_size=3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(32, kernel_size=3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(classes, activation="softmax"),
        ]
    )
    # Without this, the model is trained with the optimizer of the default recipe.
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=0.002),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


# A function `augment`, if there is one, changes the images of each batch before they are trained
# on: (n, 28, 28), with pixels from 0 to 255. `random` is a NumPy generator that the seed sets. This
# one shifts them by up to two pixels, so that the network learns more:
#
# def augment(images, random):
#     import numpy as np
#
#     return np.roll(images, random.integers(-2, 3, size=2), axis=(1, 2))
