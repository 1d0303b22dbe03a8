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
from functools import partial
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from mnist_tasks.check_records import Shape
from mnist_tasks.vetting import image_input
from mnist_tasks.vetting.execution import each_alone, keras_setup, model_cost, planting
from mnist_tasks.vetting.image_input import Pixels
from mnist_tasks.vetting.isolation.cpu_budget import CpuBudget, OutOfTimeError
from mnist_tasks.vetting.protocol import InspectionResult, Request

Run = Callable[[NDArray[np.float32]], Any]
Arrange = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
_BATCH_SIZE = 500
# Of the batches that are predicted at the same time: numbers in memory; of each: operations.
_MOST_NUMBERS, _MOST_OPERATIONS = 50_000_000, 200_000_000
#: Sizes of the batches in which a sample of images is predicted again.
_OTHER_BATCH_SIZES = (200, 7, 1)
# Sums in another order change logits of 1,000 by about 0.01; half precision changes any.
_TOLERANCE, _HALF_PRECISION_TOLERANCE = 0.01, 0.1
_WARM_UP_RUNS = 10
DEPENDS_ON_OTHERS = "its prediction for an image depends on the other images of the batch"
HAS_STATE = "its prediction depends on earlier calls or on chance"


def predict(model: Any, result: InspectionResult, request: Request) -> InspectionResult:
    """Return the result with predictions for each set of images, and the latency of one image.

    Without predictions, it has the reason.
    """
    # Mapped, and one at a time: together, they may take more memory than the process may.
    counts = [len(np.load(file, mmap_mode="r")) for _, file in request.image_sets]
    budget = CpuBudget(request.limits, images=sum(counts) * request.options.passes)
    try:
        return _predict(model, result, request, budget)
    except OutOfTimeError:
        return _without(
            result, f"its predictions take more than {budget.seconds:.0f} s of processor time"
        )


def _predict(
    model: Any,
    result: InspectionResult,
    request: Request,
    budget: CpuBudget,
) -> InspectionResult:
    shape = result.input_shapes[0][1:]
    function = each_alone.function(model, shape)
    if function is None:
        return _without(result, HAS_STATE)
    run = budget.bounded(function)
    batch_size = _batch_size(model)

    probabilities, other_pixels = {}, {}
    form = request.options.input_format
    arrange = partial(image_input.arrange, shape=shape, pixels=form.pixels, fit=form.fit)

    def predict_set(file: str, pixels: Pixels) -> NDArray[np.float32] | None:
        images = np.asarray(np.load(file, mmap_mode="r"))
        order = np.random.default_rng(int(request.sha256, 16)).permutation(len(images))
        given = partial(arrange, pixels=pixels)
        return _in_order(run, given, images, order, batch_size, request.options.classes)

    for number, (name, file) in enumerate(request.image_sets):
        found = predict_set(file, form.pixels)
        if found is None:
            return _without(result, "its predictions are not finite numbers")
        probabilities[name] = found.tobytes()
        if number == 0:
            images = np.asarray(np.load(file, mmap_mode="r"))
            if not _is_same_in_batches(model, arrange, images, found, batch_size):
                return _without(result, DEPENDS_ON_OTHERS)
            other_pixels = _with_other_pixels(run, arrange, images, request, batch_size)
    latency = _latency(model, shape, request.options.latency_runs, budget)
    return msgspec.structs.replace(
        result,
        probabilities=probabilities,
        other_pixels=other_pixels,
        latency=latency,
        planted=planting.plant(model, request, predict_set),
    )


def _batch_size(model: Any) -> int:
    """Return how many images to predict at once: their memory and the time of a call are bounded.

    Keras keeps the outputs of all layers until the last one.
    """
    cost = model_cost.cost(model)
    by_numbers = _MOST_NUMBERS // keras_setup.threads() // max(1, cost.numbers)
    return max(1, min(_BATCH_SIZE, by_numbers, _MOST_OPERATIONS // max(1, cost.operations)))


def _with_other_pixels(
    run: Run,
    arrange: partial[NDArray[np.float32]],
    images: NDArray[np.uint8],
    request: Request,
    batch_size: int,
) -> dict[str, bytes]:
    """Predict a sample with the other ranges of pixels; empty if a prediction isn't finite."""
    sample = images[:: image_input.sample_step(len(images))]
    found = {}
    for name, pixels in image_input.OTHER_CONVENTIONS.items():
        if pixels == request.options.input_format.pixels:
            continue
        other, order = partial(arrange, pixels=pixels), np.arange(len(sample))
        predicted = _in_order(run, other, sample, order, batch_size, request.options.classes)
        if predicted is None:
            return {}
        found[name] = predicted.tobytes()
    return found


def _in_order(
    run: Run,
    arrange: Arrange,
    images: NDArray[np.uint8],
    order: NDArray[np.intp],
    batch_size: int,
    classes: int,
) -> NDArray[np.float32] | None:
    """Predict the images of an order in batches.

    Returns
    -------
    probabilities : (n, classes) float32 in [0, 1]
        In the order of the images; ``None`` if a prediction is not finite.
    """
    found = np.zeros((len(images), classes), "float32")
    batches = [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
    with ThreadPoolExecutor(keras_setup.threads()) as pool:
        results = pool.map(
            lambda batch: np.asarray(run(arrange(images[batch])), "float64"), batches
        )
        for batch, outputs in zip(batches, results, strict=True):
            if not np.isfinite(outputs).all():
                pool.shutdown(cancel_futures=True)
                return None
            found[batch] = probabilities(outputs)
    return found


def _is_same_in_batches(
    model: Any,
    arrange: Arrange,
    images: NDArray[np.uint8],
    found: NDArray[np.float32],
    batch_size: int,
) -> bool:
    """Return whether batches of some sizes, of random images, get the same predictions."""
    order = np.random.default_rng(secrets.randbits(128)).permutation(len(images))
    tolerance = _HALF_PRECISION_TOLERANCE if half_precision(model) else _TOLERANCE
    for size in _OTHER_BATCH_SIZES:
        batch, order = np.split(order, [min(size, batch_size)])
        if not len(batch):  # recurrent layers fail without an image
            break
        outputs = each_alone.output(model(arrange(images[batch]), training=False))
        again = probabilities(np.asarray(outputs, "float64"))
        if not np.allclose(again, found[batch], rtol=0, atol=tolerance):
            return False
    return True


def probabilities(outputs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return shares that sum to 1: of what nearly is a distribution, or the softmax of logits.

    Each row for itself: an image's share must not depend on the others of its batch.
    """
    is_distribution = are_distributions(outputs)[:, None]
    sums = outputs.sum(axis=1, keepdims=True)
    exponents = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    softmax = exponents / exponents.sum(axis=1, keepdims=True)
    return np.where(is_distribution, outputs / np.where(is_distribution, sums, 1), softmax)


def are_distributions(outputs: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which rows are probabilities, and not logits: (n,) bool for (n, classes)."""
    # The sums of half precision are 1 to within a hundredth.
    is_one: NDArray[np.bool_] = np.abs(outputs.sum(axis=1) - 1) <= 0.02
    return (outputs >= 0).all(axis=1) & is_one


def half_precision(model: Any) -> bool:
    """Whether a layer computes in half precision."""
    types = (str(getattr(layer, "compute_dtype", "")) for layer in model._flatten_layers())  # noqa: SLF001
    return any("16" in name for name in types)


def _latency(model: Any, shape: Shape, runs: int, budget: CpuBudget) -> list[float]:
    """Return the seconds that each of some calls with a single image took."""
    import tensorflow as tf

    run = budget.bounded(
        tf.function(lambda images: each_alone.output(model(images, training=False)))
    )
    image = tf.zeros((1, *shape))
    seconds = []
    for _ in range(runs + _WARM_UP_RUNS if runs else 0):
        started = time.perf_counter()
        np.asarray(run(image))
        seconds.append(time.perf_counter() - started)
    return seconds[_WARM_UP_RUNS:]


def _without(result: InspectionResult, reason: str) -> InspectionResult:
    return msgspec.structs.replace(result, no_predictions_reason=reason)
