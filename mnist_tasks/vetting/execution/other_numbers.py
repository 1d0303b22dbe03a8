"""Count the 32-bit numbers that a model stores beside its parameters.

Weights can hide in settings, and two in each weight of 64 bits. A setting that influences
predictions counts unless it has the value that Keras gives it anyway.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from mnist_tasks.vetting.static import allowlist

_SETTINGS = allowlist.words("""
    scale offset mean variance max_value negative_slope threshold alpha epsilon
""")


def count(model: Any) -> int:
    """Return how many other numbers a model of Keras 3 or 2 has."""
    wide = (weight for weight in model.weights if "64" in str(weight.dtype))
    layers = (layer for layer in model._flatten_layers() if not hasattr(layer, "layers"))  # noqa: SLF001
    halves: int = sum(math.prod(weight.shape) for weight in wide)
    return halves + sum(map(_settings, layers))


def _settings(layer: Any) -> int:
    config = layer.get_config()
    usual = inspect.signature(type(layer).__init__).parameters
    return sum(
        1
        for key in _SETTINGS & config.keys()
        if not _is(config[key], usual[key].default if key in usual else None)
        for number in _numbers(config[key])
        if not isinstance(number, bool)
    )


def _is(value: Any, usual: Any) -> bool:
    """Return whether a setting has its usual value, or that value as Keras 2 saves it: float32."""
    rounded = float(np.float32(usual)) if isinstance(usual, float) else usual
    return bool(value in (usual, rounded))


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, (list, tuple)):
        for each in value:
            yield from _numbers(each)
    elif isinstance(value, (int, float)):
        yield value
