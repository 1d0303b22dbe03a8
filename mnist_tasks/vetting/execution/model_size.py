"""Measure a model: its layers, parameters and shapes, and whether it can be run."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from mnist_tasks.check_records import Layer, Shape
from mnist_tasks.vetting import image_input
from mnist_tasks.vetting.execution import (
    batch_axis,
    keras_model,
    layer_costs,
    model_cost,
    other_numbers,
)
from mnist_tasks.vetting.execution.keras_model import Library
from mnist_tasks.vetting.protocol import InspectionResult, Request
from mnist_tasks.vetting.static import allowlist
from mnist_tasks.vetting.static.static_check import DeclaredModel
from mnist_tasks.vetting.untrusted_text import RefusedError, sanitize


def measure(
    model: Any, declared: DeclaredModel, library: Library, request: Request
) -> InspectionResult:
    """Return the model's layers, parameters and shapes, with a reason if it can't be run."""
    trainable = _count(model.trainable_weights)
    non_trainable = _count(model.non_trainable_weights)
    _refuse_integers(model)
    inputs = [tuple(tensor.shape) for tensor in model.inputs]
    outputs = [tuple(tensor.shape) for tensor in model.outputs]
    parameters = trainable + non_trainable
    # First: what a call costs is known only for layers that leave the batch alone.
    reason = batch_axis.problem(model)
    reason = reason or model_cost.excess(model, parameters, request.limits)
    reason = reason or _shape_mismatch(inputs, outputs, request)
    missing = declared.weights < parameters
    # In an .h5 file, a layer that two models share is stored twice.
    extra = declared.weights > parameters and request.file_format == "keras"
    if reason is None and (missing or extra):
        raise RefusedError(
            f"it contains {declared.weights:,} weights, but its layers have {parameters:,}",
            outcome="model-unreadable",
        )
    return InspectionResult(
        keras=library.name,
        keras_version=declared.keras_version,
        layers=list(_summaries(model)),
        trainable=trainable,
        non_trainable=non_trainable,
        other_numbers=other_numbers.count(model) + declared.constants,
        input_shapes=inputs,
        output_shapes=outputs,
        probabilities={},
        other_pixels={},
        no_predictions_reason=reason,
        latency=[],
    )


def _summaries(model: Any) -> Iterator[Layer]:
    outputs: dict[int, list[Any]] = {}
    for layer, _, tensors in keras_model.calls(model):
        outputs.setdefault(id(layer), []).extend(tensors)
    for layer in model.layers:
        if keras_model.is_model(layer):
            yield from _summaries(layer)
            continue
        largest = max(outputs.get(id(layer), ()), key=layer_costs.elements, default=None)
        yield Layer(
            name=layer.name,
            kind=type(layer).__name__,
            output_shape=() if largest is None else tuple(largest.shape),
            parameters=_count(layer.weights),
        )


def _count(weights: Any) -> int:
    return sum(math.prod(weight.shape) for weight in weights)


def _refuse_integers(model: Any) -> None:
    """Refuse arithmetic with integers: it can unpack several weights from one number."""
    for layer in model._flatten_layers():  # noqa: SLF001 - those within other layers, too
        types = {str(getattr(layer, name, None)) for name in ("compute_dtype", "variable_dtype")}
        if type(layer).__name__ != "InputLayer" and (wrong := types - allowlist.FLOATS - {"None"}):
            raise RefusedError(
                f"layer '{sanitize(layer.name)}' computes with {sanitize(min(wrong))}",
                expected="floating-point numbers",
            )


def _shape_mismatch(inputs: list[Shape], outputs: list[Shape], request: Request) -> str | None:
    """Return why the model can't map images to probabilities of classes, if so."""
    options = request.options
    if len(inputs) != 1 or len(outputs) != 1:
        return f"it has {len(inputs)} inputs and {len(outputs)} outputs instead of one each"
    if outputs[0] != (None, options.classes):
        return f"its output has the shape {outputs[0]}, not (None, {options.classes})"
    shape = inputs[0][1:]
    layout = image_input.layout(shape, options.image_shape)
    if layout is None:
        return f"its input has the shape {inputs[0]}, which takes no images of known size"
    if layout[:2] != options.image_shape[:2] and shape != options.input_format.shape:
        sizes = " x ".join(map(str, layout[:2]))
        return f"it takes images of {sizes} pixels: set input_shape and fit in the contract"
    return None
