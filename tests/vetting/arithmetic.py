"""The operations of a network, computed with NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mnist_tasks.vetting import network
from mnist_tasks.vetting.network import (
    Activation,
    Convolution,
    Dense,
    Pooling,
    Reshape,
    Scaling,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mnist_tasks.vetting.network import Operation


def compute(operations: Sequence[Operation], values: NDArray[Any]) -> NDArray[Any]:
    """Compute operations with NumPy: (h, w, c) to (1, 1, n)."""
    for operation in operations:
        arrays = [np.frombuffer(each, "<f4") for each in network.arrays(operation)]
        match operation:
            case Convolution():
                kernel = arrays[0].reshape(*operation.size, -1, operation.filters)
                windows = _windows(values, operation, 0.0)
                values = np.einsum("rcdhw,hwdf->rcf", windows, kernel) + arrays[1]
            case Pooling(function="max"):
                values = _windows(values, operation, -np.inf).max(axis=(3, 4))
            case Pooling():
                values = np.nanmean(_windows(values, operation, np.nan), axis=(3, 4))
            case Scaling():
                values = values * arrays[0] + arrays[1]
            case Dense():
                sums = values.ravel() @ arrays[0].reshape(-1, operation.units) + arrays[1]
                values = sums.reshape(1, 1, -1)
            case Reshape():
                values = values.reshape(operation.shape)
            case Activation(function="relu"):
                values = np.maximum(values, 0)
            case Activation():
                powers = np.exp(values - values.max(axis=-1, keepdims=True))
                values = powers / powers.sum(axis=-1, keepdims=True)
    return values


def _windows(values: NDArray[Any], operation: Convolution | Pooling, edge: float) -> NDArray[Any]:
    """Return the windows of an image: (rows, columns, channels, height, width)."""
    margins = [network.margin(values.shape[axis], operation, axis) for axis in (0, 1)]
    wide = [(before, 2 * size) for (_, before), size in zip(margins, operation.size, strict=True)]
    padded = np.pad(values, [*wide, (0, 0)], constant_values=edge)
    found = np.lib.stride_tricks.sliding_window_view(padded, operation.size, axis=(0, 1))
    (rows, _), (columns, _) = margins
    return found[:: operation.strides[0], :: operation.strides[1]][:rows, :columns]
