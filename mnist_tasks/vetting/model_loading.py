"""Inside the child, after the static pass: count a model's parts, load it, ask it."""

from __future__ import annotations

import gc
import json
import math
import time
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from mnist_tasks import config, fast_import
from mnist_tasks.vetting import model_size
from mnist_tasks.vetting.protocol import Inspected
from mnist_tasks.vetting.untrusted_text import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from mnist_tasks.vetting.limits import Limits
    from mnist_tasks.vetting.protocol import Request
    from mnist_tasks.vetting.static_check import Declared

_BATCH = 500
_WARM_UP = 10
_THREADS = 4


def prepare() -> None:
    """Import TensorFlow and Keras, and make what follows repeatable."""
    with fast_import.light():
        import keras
        import tensorflow as tf
    gc.disable()  # for good: this process ends soon

    # Each thread reserves address space, of which there is little; and the same thread count
    # gives the same sums everywhere.
    threads = min(_THREADS, config.available_cores())
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    keras.utils.set_random_seed(0)


def count(declared: Declared, *, kind: str, limits: Limits) -> Inspected:
    """Build the model from its description without a single weight, and add it up.

    Returns
    -------
    facts
        ``no_predictions_reason`` says why the model will not be loaded, where that is so.
    """
    import keras

    with keras.StatelessScope(initialize_variables=False):
        model = _build(declared, kind)
        layers = [model_size.facts(layer) for layer in model_size.leaves(model)]
        trainable = model_size.total(model.trainable_weights)
        frozen = model_size.total(model.non_trainable_weights)
        inputs = [list(tensor.shape) for tensor in model.inputs]
        outputs = [list(tensor.shape) for tensor in model.outputs]
        reason = model_size.too_much(model, trainable + frozen, limits)
        reason = reason or model_size.misfit(inputs, outputs)
    if reason is None:
        _account(declared.weights, trainable + frozen, kind)
    return Inspected(
        layers=layers,
        trainable=trainable,
        non_trainable=frozen,
        input_shapes=inputs,
        output_shapes=outputs,
        probabilities={},
        no_predictions_reason=reason,
        latency=[],
    )


def load(path: Path) -> Any:
    """Load the model as Keras does, without what it was trained with."""
    import keras

    model = keras.models.load_model(path, compile=False, safe_mode=True)
    if not all(np.isfinite(np.asarray(weight, "float64")).all() for weight in model.weights):
        raise RefusedError("a weight is NaN or infinite")
    return model


def predict(model: Any, facts: Inspected, request: Request) -> Inspected:
    """Ask the model about every set of images, and measure how long one image takes."""
    import tensorflow as tf

    largest = max(math.prod(size or 1 for size in layer.output_shape[1:]) for layer in facts.layers)
    batch = max(1, min(_BATCH, request.limits.layer_elements // max(1, largest)))
    signature = tf.TensorSpec((None, *facts.input_shapes[0][1:]), "float32")
    ask = tf.function(lambda images: model(images, training=False), input_signature=[signature])

    probabilities = {}
    reason = None
    for name, file in request.image_sets:
        images = np.load(file, allow_pickle=False)
        parts = [
            np.asarray(ask(_scaled(images[i : i + batch], facts)), "float64")
            for i in range(0, len(images), batch)
        ]
        answers = np.concatenate(parts) if parts else np.zeros((0, 10))
        if not np.isfinite(answers).all():
            reason = "its predictions are not finite numbers"
            break
        probabilities[name] = _distribution(answers).tobytes()
    if reason is not None:
        return msgspec.structs.replace(facts, no_predictions_reason=reason)
    latency = list(_latency(ask, facts, request.latency_runs))
    return msgspec.structs.replace(facts, probabilities=probabilities, latency=latency)


def _account(brought: int, taken: int, kind: str) -> None:
    """Refuse weights that no layer takes, and layers whose weights are not there."""
    # In an .h5 a layer that two models share is stored with each of them.
    if brought < taken or (kind == "keras" and brought != taken):
        raise RefusedError(f"it brings {brought:,} weights, and its layers take {taken:,}")


def _build(declared: Declared, kind: str) -> Any:
    import keras

    config = json.loads(json.dumps(declared.config))  # Keras takes it apart
    _settle_input(config["config"]["layers"][0])
    if kind == "keras":
        config["compile_config"] = None
        return keras.models.model_from_json(json.dumps(config))
    cls = keras.Sequential if config["class_name"] == "Sequential" else keras.Model
    return cls.from_config(config["config"])


def _settle_input(layer: dict[str, Any]) -> None:
    """Let an input of any height and width be one of 28 x 28, so that all sizes are known."""
    for key in ("batch_shape", "batch_input_shape"):
        shape = layer["config"].get(key)
        if layer["class_name"] == "InputLayer" and shape is not None and len(shape) == 4:
            sizes = zip(shape[1:], (28, 28, 1), strict=True)
            layer["config"][key] = [shape[0], *(given or size for given, size in sizes)]


def _scaled(images: NDArray[np.uint8], facts: Inspected) -> NDArray[np.float32]:
    """Give (n, 28, 28) uint8 as float32 in [0, 1], in the shape that the model takes."""
    sizes = {2: (784,), 3: (28, 28), 4: (28, 28, 1)}[len(facts.input_shapes[0])]
    scaled = images.astype(np.float32) / np.float32(255)
    return scaled.reshape(-1, *sizes)


def _distribution(answers: NDArray[np.float64]) -> NDArray[np.float32]:
    """Make probabilities of logits; leave alone what is a distribution already."""
    if (answers >= 0).all() and np.allclose(answers.sum(axis=1), 1, atol=0.01):
        return answers.astype(np.float32)
    exponents: NDArray[np.float64] = np.exp(answers - answers.max(axis=1, keepdims=True))
    shares: NDArray[np.float64] = exponents / exponents.sum(axis=1, keepdims=True)
    return shares.astype(np.float32)


def _latency(ask: Any, facts: Inspected, runs: int) -> Iterator[float]:
    """Time one image at a time, in seconds, after some that don't count."""
    image = _scaled(np.zeros((1, 28, 28), "uint8"), facts)
    for turn in range(runs + _WARM_UP if runs else 0):
        started = time.perf_counter()
        np.asarray(ask(image))
        if turn >= _WARM_UP:
            yield time.perf_counter() - started
