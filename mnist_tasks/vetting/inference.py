"""In the child process: run inference, and verify that images don't influence one another.

A model must not profit from how it is called. So the images come in an order that follows from the
hash of the model file: nobody can write labels into a file in the order that they give it. Some
images are then predicted again in a fresh order and in batches of other sizes, down to one, and
must give equal probabilities. Layers that visibly mix images are refused before (`batch_axis`).
"""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from mnist_tasks.records import Shape
from mnist_tasks.vetting import image_input
from mnist_tasks.vetting.image_input import Fit
from mnist_tasks.vetting.protocol import InspectionResult, Request

Run = Callable[[NDArray[np.float32]], Any]
_BATCH_SIZE = 500
#: Sizes of the batches in which a sample of images is predicted again.
_OTHER_BATCH_SIZES = (250, 120, 60, 30, 14, 7, 3, 2, *[1] * 14)
# Sums in another order differ by about 1e-6 in float32 and 1e-2 in half precision.
_TOLERANCE, _HALF_PRECISION_TOLERANCE = 1e-4, 0.03
_WARM_UP_RUNS = 10

DEPENDS_ON_OTHERS = (
    "its prediction for an image depends on the other images of the batch or on earlier calls"
)


def predict(model: Any, result: InspectionResult, request: Request) -> InspectionResult:
    """Return the result with predictions for each set of images, and the latency of one image."""
    import tensorflow as tf

    shape = result.input_shapes[0][1:]
    signature = tf.TensorSpec((None, *shape), "float32")
    run = tf.function(lambda images: model(images, training=False), input_signature=[signature])
    largest = max(
        math.prod(size or 1 for size in layer.output_shape[1:]) for layer in result.layers
    )
    batch_size = max(1, min(_BATCH_SIZE, request.limits.layer_elements // max(1, largest)))
    tolerance = _HALF_PRECISION_TOLERANCE if _half_precision(model) else _TOLERANCE
    before = [np.array(weight) for weight in model.weights]

    probabilities, other_pixels = {}, {}
    form = request.options.input_format
    for number, (name, file) in enumerate(request.image_sets):
        images = np.load(file, allow_pickle=False)
        inputs = image_input.arrange(images, shape, pixels=form.pixels, fit=form.fit)
        order = _order(request.sha256, len(inputs))
        found = _in_order(run, inputs, order, [batch_size] * math.ceil(len(inputs) / batch_size))
        if found is None:
            return _without(result, "its predictions are not finite numbers")
        sample = np.random.default_rng(secrets.randbits(128)).permutation(len(inputs))
        sizes = [size for size in _OTHER_BATCH_SIZES if size <= batch_size]
        again = _in_order(run, inputs, sample[: sum(sizes)], sizes)
        seen = sample[: sum(sizes)]
        if again is None or not np.allclose(again[seen], found[seen], rtol=0, atol=tolerance):
            return _without(result, DEPENDS_ON_OTHERS)
        probabilities[name] = found.tobytes()
        if number == 0:
            other_pixels = _with_other_pixels(run, images, shape, form.fit, batch_size)

    latency = _latency(run, shape, request.options.latency_runs)
    after = [np.array(weight) for weight in model.weights]
    if not all(np.array_equal(old, new) for old, new in zip(before, after, strict=True)):
        return _without(result, DEPENDS_ON_OTHERS)
    return msgspec.structs.replace(
        result, probabilities=probabilities, other_pixels=other_pixels, latency=latency
    )


def _with_other_pixels(
    run: Run, images: NDArray[np.uint8], shape: Shape, fit: Fit, batch_size: int
) -> dict[str, bytes]:
    """Predict a sample of images with each range of pixels; empty if a prediction isn't finite."""
    sample = images[:: image_input.SAMPLE_STEP]
    batches = [batch_size] * math.ceil(len(sample) / batch_size)
    found = {}
    for name, pixels in image_input.OTHER_CONVENTIONS.items():
        inputs = image_input.arrange(sample, shape, pixels=pixels, fit=fit)
        predicted = _in_order(run, inputs, np.arange(len(sample)), batches)
        if predicted is None:
            return {}
        found[name] = predicted.tobytes()
    return found


def _order(sha256: str, count: int) -> NDArray[np.intp]:
    return np.random.default_rng(int(sha256, 16)).permutation(count)


def _in_order(
    run: Run, inputs: NDArray[np.float32], order: NDArray[np.intp], sizes: Sequence[int]
) -> NDArray[np.float32] | None:
    """Predict the images of an order in batches of the given sizes.

    Returns
    -------
    probabilities : (n, 10) float32 in [0, 1]
        For all inputs; 0 where none was requested. ``None`` if a prediction is not finite.
    """
    found = np.zeros((len(inputs), 10), "float32")
    start = 0
    for size in sizes:
        batch = order[start : start + size]
        start += size
        outputs = np.asarray(run(inputs[batch]), "float64")
        if not np.isfinite(outputs).all():
            return None
        found[batch] = _probabilities(outputs)
    return found


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


def _latency(run: Run, shape: Shape, runs: int) -> list[float]:
    """Return the seconds that each of some calls with a single image took."""
    image = np.zeros((1, *(size or 1 for size in shape)), "float32")
    seconds = []
    for _ in range(runs + _WARM_UP_RUNS if runs else 0):
        started = time.perf_counter()
        np.asarray(run(image))
        seconds.append(time.perf_counter() - started)
    return seconds[_WARM_UP_RUNS:]


def _without(result: InspectionResult, reason: str) -> InspectionResult:
    return msgspec.structs.replace(result, no_predictions_reason=reason)
