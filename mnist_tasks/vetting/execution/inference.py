"""Run inference in the child process, one image at a time.

A model must not profit from how it is called: from the other images of a batch, an image's place
in it, the size of the batch or earlier calls. So the model is given one image at a time, whatever
it would do with a batch: `tf.vectorized_map` turns each operation on one image into one on many
that can't mix them, and is as fast as a batch. The operations must be free of state and of
randomness. Images come in an order that follows from the hash of the model file: nobody can write
it into that file.

A model that predicts otherwise in batches, as its users run it, is not measured.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from mnist_tasks.records import Shape
from mnist_tasks.vetting import image_input
from mnist_tasks.vetting.execution import keras_setup, model_cost
from mnist_tasks.vetting.image_input import InputFormat
from mnist_tasks.vetting.isolation.cpu_budget import CpuBudget, OutOfTimeError
from mnist_tasks.vetting.protocol import InspectionResult, Request

Run = Callable[[NDArray[np.float32]], Any]
_BATCH_SIZE = 500
# Of the batches that are predicted at the same time: numbers in memory; of each: operations.
_MOST_NUMBERS, _MOST_OPERATIONS = 50_000_000, 200_000_000
#: Sizes of the batches in which a sample of images is predicted again.
_OTHER_BATCH_SIZES = (200, 7, 1)
# Sums in another order change logits of 1,000 by about 0.01; half precision changes any.
_TOLERANCE, _HALF_PRECISION_TOLERANCE = 0.01, 0.1
_WARM_UP_RUNS = 10
# What these call is in the graph's library, where each operation is looked at, too.
_READS_OR_CALLS = frozenset(
    {"ReadVariableOp", "VarHandleOp", "Assert", "StatefulPartitionedCall", "While", "If", "Case"}
    # Recurrent layers of Keras 2 have a version for GPUs in the library, which never runs here.
    | {"CudnnRNNV3", "CudnnRNNBackpropV3"}
)

DEPENDS_ON_OTHERS = "its prediction for an image depends on the other images of the batch"
HAS_STATE = "its prediction depends on earlier calls or on chance"


def predict(model: Any, result: InspectionResult, request: Request) -> InspectionResult:
    """Return the result with predictions for each set of images, and the latency of one image.

    Without predictions, it has the reason.
    """
    sets = {name: np.load(file, allow_pickle=False) for name, file in request.image_sets}
    budget = CpuBudget(request.limits, images=sum(map(len, sets.values())))
    try:
        return _predict(model, result, request, sets, budget)
    except OutOfTimeError:
        return _without(
            result, f"its predictions take more than {budget.seconds:.0f} s of processor time"
        )


def _predict(
    model: Any,
    result: InspectionResult,
    request: Request,
    sets: dict[str, NDArray[np.uint8]],
    budget: CpuBudget,
) -> InspectionResult:
    shape = result.input_shapes[0][1:]
    each_alone = _each_alone(model, shape)
    if each_alone is None:
        return _without(result, HAS_STATE)
    run = budget.bounded(each_alone)
    batch_size = _batch_size(model)

    probabilities, other_pixels = {}, {}
    form = request.options.input_format
    for number, (name, images) in enumerate(sets.items()):
        inputs = image_input.arrange(images, shape, pixels=form.pixels, fit=form.fit)
        order = np.random.default_rng(int(request.sha256, 16)).permutation(len(inputs))
        found = _in_order(run, inputs, order, batch_size)
        if found is None:
            return _without(result, "its predictions are not finite numbers")
        probabilities[name] = found.tobytes()
        if number == 0:
            if not _is_same_in_batches(model, inputs, found, batch_size):
                return _without(result, DEPENDS_ON_OTHERS)
            other_pixels = _with_other_pixels(run, images, shape, form, batch_size)
    return msgspec.structs.replace(
        result,
        probabilities=probabilities,
        other_pixels=other_pixels,
        latency=_latency(model, shape, request.options.latency_runs, budget),
    )


def _batch_size(model: Any) -> int:
    """Return how many images to predict at once: their memory and the time of a call are bounded.

    Keras keeps the outputs of all layers until the last one.
    """
    cost = model_cost.cost(model)
    by_numbers = _MOST_NUMBERS // keras_setup.threads() // max(1, cost.numbers)
    return max(1, min(_BATCH_SIZE, by_numbers, _MOST_OPERATIONS // max(1, cost.operations)))


def _each_alone(model: Any, shape: Shape) -> Any:
    """Return a TensorFlow function that gives a model each of many images in a batch of one.

    ``None`` if the model's predictions depend on state or on chance.
    """
    import tensorflow as tf

    def alone(image: Any) -> Any:
        return _output(model(image[None], training=False))[0]

    def trace(function: Any, *dimensions: int | None) -> Any:
        return tf.function(function).get_concrete_function(tf.TensorSpec(dimensions, "float32"))

    try:
        found = trace(lambda images: tf.vectorized_map(alone, images, warn=False), None, *shape)
    except ValueError:  # as for an output that was written to a variable
        if _is_pure(trace(alone, *shape).graph):
            raise
        return None
    return found if _is_pure(found.graph) else None


def _output(outputs: Any) -> Any:
    """Return the only output of a model, which may have a name."""
    import tensorflow as tf

    (output,) = tf.nest.flatten(outputs)
    return output


def _is_pure(graph: Any) -> bool:
    """Return whether predictions depend on no state but the weights, and not on chance."""
    from tensorflow.python.framework import op_def_registry

    called = [node for each in graph.as_graph_def().library.function for node in each.node_def]
    # Keras 2 draws random numbers that it doesn't use: only what leads to the output counts.
    used: dict[str, Any] = {}
    pending = [tensor.op for tensor in graph.outputs]
    while pending:
        operation = pending.pop()
        if operation.name not in used:
            used[operation.name] = operation
            pending += [tensor.op for tensor in operation.inputs]
    kinds = {operation.type for operation in used.values()} | {node.op for node in called}
    writes = any("Assign" in operation.type for operation in graph.get_operations())
    return not writes and not any(
        op_def_registry.get(kind).is_stateful for kind in kinds - _READS_OR_CALLS
    )


def _with_other_pixels(
    run: Run, images: NDArray[np.uint8], shape: Shape, form: InputFormat, batch_size: int
) -> dict[str, bytes]:
    """Predict a sample with the other ranges of pixels; empty if a prediction isn't finite."""
    sample = images[:: image_input.SAMPLE_STEP]
    found = {}
    for name, pixels in image_input.OTHER_CONVENTIONS.items():
        if pixels == form.pixels:
            continue
        inputs = image_input.arrange(sample, shape, pixels=pixels, fit=form.fit)
        predicted = _in_order(run, inputs, np.arange(len(sample)), batch_size)
        if predicted is None:
            return {}
        found[name] = predicted.tobytes()
    return found


def _in_order(
    run: Run, inputs: NDArray[np.float32], order: NDArray[np.intp], batch_size: int
) -> NDArray[np.float32] | None:
    """Predict the images of an order in batches.

    Returns
    -------
    probabilities : (n, 10) float32 in [0, 1]
        In the order of the inputs; ``None`` if a prediction is not finite.
    """
    found = np.zeros((len(inputs), 10), "float32")
    batches = [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
    with ThreadPoolExecutor(keras_setup.threads()) as pool:
        results = pool.map(lambda batch: np.asarray(run(inputs[batch]), "float64"), batches)
        for batch, outputs in zip(batches, results, strict=True):
            if not np.isfinite(outputs).all():
                pool.shutdown(cancel_futures=True)
                return None
            found[batch] = _probabilities(outputs)
    return found


def _is_same_in_batches(
    model: Any, inputs: NDArray[np.float32], found: NDArray[np.float32], batch_size: int
) -> bool:
    """Return whether batches of some sizes, of random images, get the same predictions."""
    order = np.random.default_rng(secrets.randbits(128)).permutation(len(inputs))
    tolerance = _HALF_PRECISION_TOLERANCE if _half_precision(model) else _TOLERANCE
    for size in _OTHER_BATCH_SIZES:
        batch, order = np.split(order, [min(size, batch_size)])
        if not len(batch):  # recurrent layers fail without an image
            break
        outputs = _output(model(inputs[batch], training=False))
        again = _probabilities(np.asarray(outputs, "float64"))
        if not np.allclose(again, found[batch], rtol=0, atol=tolerance):
            return False
    return True


def _probabilities(outputs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return shares that sum to 1: of what nearly is a distribution, or the softmax of logits.

    Each row for itself: an image's share must not depend on the others of its batch.
    """
    sums = outputs.sum(axis=1, keepdims=True)
    # The sums of half precision are 1 to within a hundredth.
    is_distribution = (outputs >= 0).all(axis=1, keepdims=True) & (np.abs(sums - 1) <= 0.02)
    exponents = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    softmax = exponents / exponents.sum(axis=1, keepdims=True)
    return np.where(is_distribution, outputs / np.where(is_distribution, sums, 1), softmax)


def _half_precision(model: Any) -> bool:
    types = (str(getattr(layer, "compute_dtype", "")) for layer in model._flatten_layers())  # noqa: SLF001
    return any("16" in name for name in types)


def _latency(model: Any, shape: Shape, runs: int, budget: CpuBudget) -> list[float]:
    """Return the seconds that each of some calls with a single image took."""
    import tensorflow as tf

    run = budget.bounded(tf.function(lambda images: _output(model(images, training=False))))
    image = tf.zeros((1, *shape))
    seconds = []
    for _ in range(runs + _WARM_UP_RUNS if runs else 0):
        started = time.perf_counter()
        np.asarray(run(image))
        seconds.append(time.perf_counter() - started)
    return seconds[_WARM_UP_RUNS:]


def _without(result: InspectionResult, reason: str) -> InspectionResult:
    return msgspec.structs.replace(result, no_predictions_reason=reason)
