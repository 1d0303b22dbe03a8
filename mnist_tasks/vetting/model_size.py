"""How large a Keras model is, found without a byte of it being allocated."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from mnist_tasks.vetting import allowlist
from mnist_tasks.vetting.protocol import LayerFacts
from mnist_tasks.vetting.untrusted_text import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mnist_tasks.vetting.limits import Limits

_IMAGES = ([784], [28, 28], [28, 28, 1])


def leaves(model: Any) -> Iterator[Any]:
    """Go through a model's layers, and through those of the models in it."""
    for layer in model.layers:
        if _is_model(layer):
            yield from leaves(layer)
        else:
            yield layer


def facts(layer: Any) -> LayerFacts:
    """Sum up one layer; of several calls, the one that gives the most."""
    outputs = _outputs(layer)
    return LayerFacts(
        name=layer.name,
        kind=type(layer).__name__,
        output_shape=list(max(outputs, key=_elements).shape) if outputs else [],
        parameters=total(layer.weights),
    )


def total(weights: Any) -> int:
    """Count the numbers in some variables."""
    return sum(math.prod(weight.shape) for weight in weights)


def too_much(model: Any, parameters: int, limits: Limits) -> str | None:
    """Say which bound the model is past, if it is past one."""
    if parameters > limits.parameters:
        return f"its {parameters:,} parameters are more than the {limits.parameters:,} to be loaded"
    for layer in leaves(model):
        for tensor in _outputs(layer):
            if None in tensor.shape[1:]:
                return f"layer '{shown(layer.name)}' gives a shape that is not known beforehand"
            if _elements(tensor) > limits.layer_elements:
                return f"layer '{shown(layer.name)}' gives {_elements(tensor):,} numbers an image"
    operations = _operations(model)
    if operations > limits.image_operations:
        return (
            f"one image takes {operations:,} operations, "
            f"more than the {limits.image_operations:,} that are allowed"
        )
    return None


def misfit(inputs: list[list[int | None]], outputs: list[list[int | None]]) -> str | None:
    """Say why images of 28 x 28 can't go in or ten probabilities don't come out."""
    if len(inputs) != 1 or len(outputs) != 1:
        return f"it has {len(inputs)} inputs and {len(outputs)} outputs instead of one each"
    if inputs[0][0] is not None or inputs[0][1:] not in _IMAGES:
        return f"its input has the shape {tuple(inputs[0])}, not (None, 28, 28, 1)"
    if outputs[0] != [None, 10]:
        return f"its output has the shape {tuple(outputs[0])}, not (None, 10)"
    return None


def _is_model(layer: Any) -> bool:
    return type(layer).__name__ in allowlist.MODELS


def _outputs(layer: Any) -> list[Any]:
    """List what a layer gives at each of its calls."""
    return [tensor for node in layer._inbound_nodes for tensor in node.output_tensors]  # noqa: SLF001


def _elements(tensor: Any) -> int:
    return math.prod(size or 1 for size in tensor.shape[1:])


def _operations(model: Any) -> int:
    """Estimate the multiply-adds for one image; a model within counts at each of its calls."""
    operations = 0
    for layer in model.layers:
        outputs = _outputs(layer)
        if _is_model(layer):
            operations += _operations(layer) * max(1, len(outputs))
            continue
        for tensor in outputs:
            elements = _elements(tensor)
            # Every weight works at every place of the output, channels apart.
            places = elements // tensor.shape[-1] if len(tensor.shape) > 2 and elements else 1
            operations += elements + total(layer.weights) * places
    return operations
