"""Build a model from its description without allocating a weight, and measure its size."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from mnist_tasks.records import Layer, Shape
from mnist_tasks.vetting import allowlist
from mnist_tasks.vetting.limits import Limits
from mnist_tasks.vetting.protocol import InspectionResult
from mnist_tasks.vetting.static_check import DeclaredModel
from mnist_tasks.vetting.untrusted_text import RefusedError, sanitize

_IMAGE_SHAPES = ((784,), (28, 28), (28, 28, 1))


def measure(declared: DeclaredModel, *, file_format: str, limits: Limits) -> InspectionResult:
    """Return the model's layers, parameters and shapes, with a reason if it can't be run."""
    import keras

    with keras.StatelessScope(initialize_variables=False):
        model = _build(declared, file_format)
        layers = [_summary(layer) for layer in _leaves(model)]
        trainable = _count(model.trainable_weights)
        non_trainable = _count(model.non_trainable_weights)
        inputs = [tuple(tensor.shape) for tensor in model.inputs]
        outputs = [tuple(tensor.shape) for tensor in model.outputs]
        parameters = trainable + non_trainable
        reason = _excess(model, parameters, limits) or _shape_mismatch(inputs, outputs)
    missing = declared.weights < parameters
    # In an .h5 file, a layer that two models share is stored twice.
    extra = declared.weights > parameters and file_format == "keras"
    if reason is None and (missing or extra):
        raise RefusedError(
            f"it contains {declared.weights:,} weights, but its layers have {parameters:,}"
        )
    return InspectionResult(
        layers=layers,
        trainable=trainable,
        non_trainable=non_trainable,
        input_shapes=inputs,
        output_shapes=outputs,
        probabilities={},
        no_predictions_reason=reason,
        latency=[],
    )


def _build(declared: DeclaredModel, file_format: str) -> Any:
    import keras

    config = json.loads(json.dumps(declared.config))  # Keras modifies it
    _set_input_size(config["config"]["layers"][0])
    if file_format == "keras":
        config["compile_config"] = None
        return keras.models.model_from_json(json.dumps(config))
    cls = keras.Sequential if config["class_name"] == "Sequential" else keras.Model
    return cls.from_config(config["config"])


def _set_input_size(layer: dict[str, Any]) -> None:
    """Set an open height and width of an input to 28, so that all shapes are known."""
    for key in ("batch_shape", "batch_input_shape"):
        shape = layer["config"].get(key)
        if layer["class_name"] == "InputLayer" and shape is not None and len(shape) == 4:
            sizes = zip(shape[1:], (28, 28, 1), strict=True)
            layer["config"][key] = [shape[0], *(given or size for given, size in sizes)]


def _leaves(model: Any) -> Iterator[Any]:
    """Yield a model's layers, and those of the models within it."""
    for layer in model.layers:
        if _is_model(layer):
            yield from _leaves(layer)
        else:
            yield layer


def _is_model(layer: Any) -> bool:
    return type(layer).__name__ in allowlist.MODELS


def _summary(layer: Any) -> Layer:
    largest = max(_outputs(layer), key=_elements, default=None)
    return Layer(
        name=layer.name,
        kind=type(layer).__name__,
        output_shape=() if largest is None else tuple(largest.shape),
        parameters=_count(layer.weights),
    )


def _outputs(layer: Any) -> list[Any]:
    """Return the outputs of a layer's calls."""
    return [tensor for node in layer._inbound_nodes for tensor in node.output_tensors]  # noqa: SLF001


def _elements(tensor: Any) -> int:
    return math.prod(size or 1 for size in tensor.shape[1:])


def _count(weights: Any) -> int:
    return sum(math.prod(weight.shape) for weight in weights)


def _excess(model: Any, parameters: int, limits: Limits) -> str | None:
    """Return which limit the model exceeds, if any."""
    if parameters > limits.parameters:
        return f"its {parameters:,} parameters exceed the limit of {limits.parameters:,}"
    for layer in _leaves(model):
        for tensor in _outputs(layer):
            if None in tensor.shape[1:]:
                return f"layer '{sanitize(layer.name)}' has an output shape that is not fixed"
            if _elements(tensor) > limits.layer_elements:
                name, elements = sanitize(layer.name), _elements(tensor)
                return f"layer '{name}' outputs {elements:,} numbers per image"
    operations, limit = _operations(model), limits.image_operations
    if operations > limit:
        return f"one image takes {operations:,} operations, which exceeds the limit of {limit:,}"
    return None


def _operations(model: Any) -> int:
    """Estimate the multiply-adds per image; a nested model counts once per call."""
    operations = 0
    for layer in model.layers:
        outputs = _outputs(layer)
        if _is_model(layer):
            operations += _operations(layer) * max(1, len(outputs))
            continue
        for tensor in outputs:
            elements = _elements(tensor)
            # Each weight is used once at each spatial position of the output.
            positions = elements // tensor.shape[-1] if len(tensor.shape) > 2 and elements else 1
            operations += elements + _count(layer.weights) * positions
    return operations


def _shape_mismatch(inputs: list[Shape], outputs: list[Shape]) -> str | None:
    """Return why the model can't map images of 28 x 28 to ten probabilities; ``None`` if it can."""
    if len(inputs) != 1 or len(outputs) != 1:
        return f"it has {len(inputs)} inputs and {len(outputs)} outputs instead of one each"
    if inputs[0][0] is not None or inputs[0][1:] not in _IMAGE_SHAPES:
        return f"its input has the shape {inputs[0]}, not (None, 28, 28, 1)"
    if outputs[0] != (None, 10):
        return f"its output has the shape {outputs[0]}, not (None, 10)"
    return None
