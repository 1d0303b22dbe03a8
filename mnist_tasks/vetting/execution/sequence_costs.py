"""What recurrent layers and attention cost for one image."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from mnist_tasks.vetting.static import allowlist

#: TensorFlow prepares a loop, and starts each of its steps, in the time of that many operations.
_LOOP, _STEP = 2_000_000, 50_000
#: A number of an attention's scores is computed, scaled, exponentiated and stored several times.
_SCORE = 100


def of_call(layer: Any, inputs: Sequence[Any]) -> int:
    """Return the multiply-adds of one call for one image; 0 for a layer of another kind."""
    kind = type(layer).__name__
    if kind in allowlist.RECURRENT or kind == "Bidirectional":
        loops = 2 if kind == "Bidirectional" else 1
        steps: int = inputs[0].shape[1] or 1
        return loops * (_LOOP + steps * _STEP) + steps * _weights(layer)
    if kind == "MultiHeadAttention":
        heads: dict[str, int] = layer.get_config()
        queries, values = (_positions(tensor) for tensor in (inputs[0], inputs[-1]))
        dimensions = heads["key_dim"] + (heads["value_dim"] or heads["key_dim"])
        products = scores(layer, inputs) * (dimensions + _SCORE)
        return products + _weights(layer) * max(queries, values)
    return 0


def scores(layer: Any, inputs: Sequence[Any]) -> int:
    """Return how many scores an attention computes: for each head, query and value one."""
    queries, values = (_positions(tensor) for tensor in (inputs[0], inputs[-1]))
    heads: int = layer.get_config()["num_heads"]
    return queries * values * heads


def _positions(tensor: Any) -> int:
    return math.prod(size or 1 for size in tensor.shape[1:-1])


def _weights(layer: Any) -> int:
    return sum(math.prod(weight.shape) for weight in layer.weights)
