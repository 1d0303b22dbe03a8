"""keras.io's "Simple MNIST convnet", with its settings, until the test accuracy passes 99%.

``python keras_convnet.py mnist.npz model_latest.h5``. The settings are those of the example at
https://keras.io/examples/vision/mnist_convnet/: two convolutions of 32 and 64 filters, each with a
max-pooling, dropout 0.5; Adam, batches of 128, a tenth of the training images for validation, at
most 15 epochs. The example evaluates on the test set after its last epoch; this does after each.
"""

import sys

import keras
import numpy as np
from keras import layers

GOAL = 0.99

with np.load(sys.argv[1]) as data:
    x_train, y_train, x_test, y_test = (
        data[name] for name in ("x_train", "y_train", "x_test", "y_test")
    )
x_train = x_train.astype("float32")[..., None] / 255
x_test = x_test.astype("float32")[..., None] / 255
y_train, y_test = keras.utils.to_categorical(y_train, 10), keras.utils.to_categorical(y_test, 10)

keras.utils.set_random_seed(0)
model = keras.Sequential(
    [
        keras.Input((28, 28, 1)),
        layers.Conv2D(32, kernel_size=(3, 3), activation="relu"),
        layers.MaxPooling2D(pool_size=(2, 2)),
        layers.Conv2D(64, kernel_size=(3, 3), activation="relu"),
        layers.MaxPooling2D(pool_size=(2, 2)),
        layers.Flatten(),
        layers.Dropout(0.5),
        layers.Dense(10, activation="softmax"),
    ]
)
model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
for epoch in range(1, 16):
    model.fit(x_train, y_train, batch_size=128, epochs=1, validation_split=0.1)
    _, accuracy = model.evaluate(x_test, y_test, verbose=0)
    print(f"epoch {epoch}: test accuracy {accuracy:.4f}")
    if accuracy > GOAL:
        break
else:
    sys.exit(f"the goal of {GOAL:.0%} was not reached in 15 epochs")
model.save(sys.argv[2])
