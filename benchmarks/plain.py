"""The network that one would write first, in plain Keras.

``python plain.py mnist.npz model_latest.h5`` trains for one epoch and saves.
"""

import sys

import keras
import numpy as np
from keras import layers

with np.load(sys.argv[1]) as data:
    images, labels = data["x_train"], data["y_train"]
images = images.reshape(-1, 28, 28, 1).astype("float32") / 255

keras.utils.set_random_seed(0)
model = keras.Sequential(
    [
        keras.Input((28, 28, 1)),
        layers.Conv2D(16, 3, activation="relu"),
        layers.BatchNormalization(),
        layers.Conv2D(16, 3, activation="relu"),
        layers.BatchNormalization(),
        layers.MaxPooling2D(),
        layers.Conv2D(16, 3, activation="relu"),
        layers.BatchNormalization(),
        layers.Conv2D(16, 3, activation="relu"),
        layers.BatchNormalization(),
        layers.MaxPooling2D(),
        layers.Dropout(0.1),
        layers.Flatten(),
        layers.Dense(10, activation="softmax"),
    ]
)
model.compile(
    optimizer=keras.optimizers.Adagrad(0.01),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
model.fit(images, labels, batch_size=64, epochs=1)
model.save(sys.argv[2])
