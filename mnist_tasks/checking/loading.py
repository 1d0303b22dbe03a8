"""Inside the child, after the static pass: count a model's parts, load it, ask it."""

from __future__ import annotations

import json
import math
import os
import time
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from mnist_tasks.checking import allowed
from mnist_tasks.checking.plain import RefusedError, shown
from mnist_tasks.checking.protocol import Inspected, LayerFacts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from mnist_tasks.checking.limits import Limits
    from mnist_tasks.checking.protocol import Request
    from mnist_tasks.checking.vetting import Declared

_BATCH = 500
_WARM_UP = 10
_THREADS = 4


def prepare() -> None:
    """Import TensorFlow and Keras, and make what follows repeatable."""
    import keras
    import tensorflow as tf

    # Each thread reserves address space, of which there is little; and the same thread count
    # gives the same sums everywhere.
    threads = min(_THREADS, os.cpu_count() or 1)
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    keras.utils.set_random_seed(0)


def count(declared: Declared, *, kind: str, limits: Limits) -> Inspected:
    """Build the model from its description without a single weight, and add it up.

    Returns
    -------
    facts
        ``unpredicted`` says why the model will not be loaded, where that is so.
    """
    import keras

    with keras.StatelessScope(initialize_variables=False):
        model = _build(declared, kind)
        layers = [_facts(layer) for layer in _leaves(model)]
        trainable = _size(model.trainable_weights)
        frozen = _size(model.non_trainable_weights)
        inputs = [list(tensor.shape) for tensor in model.inputs]
        outputs = [list(tensor.shape) for tensor in model.outputs]
        reason = _too_much(model, trainable + frozen, limits) or _misfit(inputs, outputs)
    if reason is None and kind == "keras" and declared.weights != trainable + frozen:
        raise RefusedError(
            f"it brings {declared.weights:,} weights, and its layers take {trainable + frozen:,}"
        )
    return Inspected(
        layers=layers,
        trainable=trainable,
        non_trainable=frozen,
        input_shapes=inputs,
        output_shapes=outputs,
        probabilities={},
        unpredicted=reason,
        latency=[],
    )


def load(path: Path, declared: Declared) -> Any:
    """Load the model as Keras does, without what it was trained with."""
    import keras

    model = keras.models.load_model(path, compile=False, safe_mode=True)
    if not all(np.isfinite(np.asarray(weight, "float64")).all() for weight in model.weights):
        raise RefusedError("a weight is NaN or infinite")
    if sum(1 for _ in _leaves(model)) > 10 * len(declared.layers) + 10:
        raise RefusedError("it has more layers than its description names")
    return model


def predict(model: Any, facts: Inspected, request: Request) -> Inspected:
    """Ask the model about every set of images, and measure how long one image takes."""
    import tensorflow as tf

    largest = max(_elements(tensor.shape) for layer in _leaves(model) for tensor in _given(layer))
    batch = max(1, min(_BATCH, request.limits.layer_elements // largest))
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
        return msgspec.structs.replace(facts, unpredicted=reason)
    latency = list(_latency(ask, facts, request.latency_runs))
    return msgspec.structs.replace(facts, probabilities=probabilities, latency=latency)


def _build(declared: Declared, kind: str) -> Any:
    import keras

    config = json.loads(json.dumps(declared.config))  # Keras takes it apart
    if kind == "keras":
        config["compile_config"] = None
        return keras.models.model_from_json(json.dumps(config))
    cls = keras.Sequential if config["class_name"] == "Sequential" else keras.Model
    return cls.from_config(config["config"])


def _facts(layer: Any) -> LayerFacts:
    outputs = _given(layer)
    return LayerFacts(
        name=layer.name,
        kind=type(layer).__name__,
        output_shape=list(outputs[0].shape) if outputs else [],
        parameters=_size(layer.weights),
    )


def _size(weights: Any) -> int:
    return sum(math.prod(weight.shape) for weight in weights)


def _leaves(model: Any) -> Iterator[Any]:
    for layer in model.layers:
        if type(layer).__name__ in allowed.MODELS:
            yield from _leaves(layer)
        else:
            yield layer


def _given(layer: Any) -> list[Any]:
    """List what a layer gives at each of its calls."""
    return [tensor for node in layer._inbound_nodes for tensor in node.output_tensors]  # noqa: SLF001


def _elements(shape: tuple[int | None, ...]) -> int:
    return math.prod(size or 1 for size in shape[1:])


def _too_much(model: Any, parameters: int, limits: Limits) -> str | None:
    """Say which bound the model is past, before a byte of it is allocated."""
    if parameters > limits.parameters:
        return f"its {parameters:,} parameters are more than the {limits.parameters:,} to be loaded"
    operations = 0
    for layer in _leaves(model):
        for tensor in _given(layer):
            elements = _elements(tensor.shape)
            if elements > limits.layer_elements:
                return f"layer '{shown(layer.name)}' gives {elements:,} numbers for one image"
            # Every weight works at every place of the output, channels apart.
            places = elements // max(1, tensor.shape[-1] or 1) if len(tensor.shape) > 2 else 1
            operations += elements + _size(layer.weights) * places
    if operations > limits.image_operations:
        return (
            f"one image takes {operations:,} operations, "
            f"more than the {limits.image_operations:,} that are allowed"
        )
    return None


def _misfit(inputs: list[list[int | None]], outputs: list[list[int | None]]) -> str | None:
    """Say why images of 28 x 28 can't go in or ten probabilities don't come out."""
    if len(inputs) != 1 or len(outputs) != 1:
        return f"it has {len(inputs)} inputs and {len(outputs)} outputs instead of one each"
    batch, *image = inputs[0]
    known = [[784], [28, 28], [28, 28, 1]]
    fits = any(
        len(image) == len(sizes)
        and all(given in {None, size} for given, size in zip(image, sizes, strict=True))
        for sizes in known
    )
    if batch is not None or not fits:
        return f"its input has the shape {tuple(inputs[0])}, not (None, 28, 28, 1)"
    if outputs[0] != [None, 10]:
        return f"its output has the shape {tuple(outputs[0])}, not (None, 10)"
    return None


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
