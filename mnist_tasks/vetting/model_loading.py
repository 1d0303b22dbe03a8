"""In the child process, after the static check: load a model and run inference."""

from __future__ import annotations

import gc
import math
import time
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from mnist_tasks import config, fast_import
from mnist_tasks.vetting.protocol import InspectionResult, Request
from mnist_tasks.vetting.untrusted_text import RefusedError

_BATCH_SIZE = 500
_WARM_UP_RUNS = 10
_MOST_THREADS = 4


def import_keras() -> None:
    """Import TensorFlow and Keras, and make their results reproducible."""
    with fast_import.light():
        import keras
        import tensorflow as tf
    gc.disable()  # for good: this process ends soon

    # Each thread reserves address space, which is limited; and the same number of threads gives
    # the same sums on every machine.
    threads = min(_MOST_THREADS, config.available_cores())
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    keras.utils.set_random_seed(0)


def load(path: Path) -> Any:
    """Load the model with Keras, without its training configuration."""
    import keras

    model = keras.models.load_model(path, compile=False, safe_mode=True)
    if not all(np.isfinite(np.asarray(weight, "float64")).all() for weight in model.weights):
        raise RefusedError("a weight is NaN or infinite")
    return model


def predict(model: Any, result: InspectionResult, request: Request) -> InspectionResult:
    """Return the result with predictions for each set of images, and the latency of one image."""
    import tensorflow as tf

    shape = result.input_shapes[0][1:]
    signature = tf.TensorSpec((None, *shape), "float32")
    run = tf.function(lambda images: model(images, training=False), input_signature=[signature])
    largest = max(
        math.prod(size or 1 for size in layer.output_shape[1:]) for layer in result.layers
    )
    batch = max(1, min(_BATCH_SIZE, request.limits.layer_elements // max(1, largest)))

    probabilities = {}
    for name, file in request.image_sets:
        images = np.load(file, allow_pickle=False)
        parts = [
            np.asarray(run(_scaled(images[i : i + batch], shape)), "float64")
            for i in range(0, len(images), batch)
        ]
        outputs = np.concatenate(parts) if parts else np.zeros((0, 10))
        if not np.isfinite(outputs).all():
            reason = "its predictions are not finite numbers"
            return msgspec.structs.replace(result, no_predictions_reason=reason)
        probabilities[name] = _probabilities(outputs).tobytes()

    image = _scaled(np.zeros((1, 28, 28), "uint8"), shape)
    latency = []
    for _ in range(request.latency_runs + _WARM_UP_RUNS if request.latency_runs else 0):
        started = time.perf_counter()
        np.asarray(run(image))
        latency.append(time.perf_counter() - started)
    return msgspec.structs.replace(
        result, probabilities=probabilities, latency=latency[_WARM_UP_RUNS:]
    )


def _scaled(images: NDArray[np.uint8], shape: tuple[int | None, ...]) -> NDArray[np.float32]:
    """Return (n, 28, 28) uint8 as float32 in [0, 1], in the shape of the model's input."""
    sizes = {1: (784,), 2: (28, 28), 3: (28, 28, 1)}[len(shape)]
    return (images.astype(np.float32) / np.float32(255)).reshape(-1, *sizes)


def _probabilities(outputs: NDArray[np.float64]) -> NDArray[np.float32]:
    """Apply softmax to logits; return what is a distribution already as float32."""
    if (outputs >= 0).all() and np.allclose(outputs.sum(axis=1), 1, atol=0.01):
        return outputs.astype(np.float32)
    exponents: NDArray[np.float64] = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    shares: NDArray[np.float64] = exponents / exponents.sum(axis=1, keepdims=True)
    return shares.astype(np.float32)
