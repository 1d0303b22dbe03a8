"""What one image costs in a model: the work of each call of its own layers, and its limits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mnist_tasks.vetting.execution import keras_model, layer_costs
from mnist_tasks.vetting.execution.layer_costs import Cost
from mnist_tasks.vetting.limits import Limits
from mnist_tasks.vetting.untrusted_text import RefusedError, sanitize


def excess(model: Any, parameters: int, limits: Limits) -> str | None:
    """Return which limit a model exceeds, if any, in words."""
    if parameters > limits.parameters:
        return f"its {parameters:,} parameters exceed the limit of {limits.parameters:,}"
    for layer, _, outputs in _inner_calls(model):
        if any(None in tensor.shape[1:] for tensor in outputs):
            return f"layer '{sanitize(layer.name)}' has an output shape that is not fixed"
    total = cost(model)
    if total.numbers > limits.image_numbers:
        return (
            f"for one image, its layers output {total.numbers:,} numbers, which exceeds the limit "
            f"of {limits.image_numbers:,}"
        )
    if total.operations > limits.image_operations:
        return (
            f"one image takes {total.operations:,} operations, which exceeds the limit of "
            f"{limits.image_operations:,}"
        )
    return None


def _inner_calls(model: Any) -> Iterator[tuple[Any, list[Any], list[Any]]]:
    """Yield the calls of a model's layers, and those within each of the models in it once."""
    pending, seen = [model], {id(model)}
    while pending:
        for layer, inputs, outputs in keras_model.calls(pending.pop()):
            if not keras_model.is_model(layer):
                yield layer, inputs, outputs
            elif id(layer) not in seen:
                seen.add(id(layer))
                pending.append(layer)


def cost(model: Any, known: dict[int, Cost] | None = None) -> Cost:
    """Return what one image costs; a nested model costs the same at each of its calls.

    Raises
    ------
    RefusedError
        A nested model is called on another shape than the one that it was built for.
    """
    known = {} if known is None else known
    if id(model) not in known:
        costs = []
        for layer, inputs, outputs in keras_model.calls(model):
            if keras_model.is_model(layer):
                _refuse_other_shapes(layer, inputs)
                costs.append(cost(layer, known))
            else:
                costs.append(layer_costs.of_call(layer, inputs, outputs))
        known[id(model)] = Cost(
            sum(each.operations for each in costs), sum(each.numbers for each in costs)
        )
    return known[id(model)]


def _refuse_other_shapes(model: Any, inputs: list[Any]) -> None:
    """Keras 3 refuses such a call itself, but for channels that are added; Keras 2 runs it."""
    built, called = (list(map(_sizes, tensors)) for tensors in (model.inputs, inputs))
    if built != called:
        raise RefusedError(
            f"model '{sanitize(model.name)}' is called on images of the shape {sanitize(called)}",
            expected=f"the shape that it was built for, {sanitize(built)}",
        )


def _sizes(tensor: Any) -> list[int]:
    sizes = list(tensor.shape[1:])
    return sizes[:-1] if sizes[-1:] == [1] else sizes
