"""A model as the page's script needs it."""

from __future__ import annotations

import base64
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnist_tasks.dataset_info import DatasetInfo
from mnist_tasks.vetting import network
from mnist_tasks.vetting.image_input import Pixels
from mnist_tasks.vetting.network import Convolution, Dense, Operation, Pooling, Sizes


def model_data(
    operations: list[Operation], shape: Sizes, *, info: DatasetInfo, pixels: Pixels, draws: bool
) -> dict[str, Any]:
    """Return the data of the script, for JSON.

    Parameters
    ----------
    operations, shape
        Those of a valid network, and the shape of its input.
    pixels
        The range of its pixels.
    draws
        Whether digits can be drawn, rather than pictures of the data set's kind be chosen.
    """
    steps: list[dict[str, Any]] = []
    weights: list[NDArray[np.float32]] = []
    given = shape
    for operation, output in zip(operations, network.shapes(operations, shape), strict=True):
        arrays = _arrays(operation)
        steps.append(
            {"output": output, "counts": [each.size for each in arrays]}
            | _settings(operation, given)
        )
        weights += arrays
        given = output
    row = np.concatenate([np.zeros(0, "<f4"), *(each.ravel() for each in weights)])
    return {
        "classes": info.classes,
        "image": info.image_shape,
        "input": shape,
        "divisor": pixels.divisor,
        "offset": pixels.offset,
        "draws": draws,
        "operations": steps,
        "weights": base64.b64encode(row.astype("<f4").tobytes()).decode(),
    }


def _settings(operation: Operation, given: Sizes) -> dict[str, Any]:
    """Return what the script needs to know about an operation, besides its weights."""
    settings: dict[str, Any] = {"kind": type(operation).__name__.lower()}
    if isinstance(operation, Convolution | Pooling):
        margins = [network.margin(given[axis], operation, axis)[1] for axis in (0, 1)]
        settings |= {"size": operation.size, "strides": operation.strides, "margin": margins}
    if isinstance(operation, Pooling | network.Activation):
        settings["function"] = operation.function
    return settings


def _arrays(operation: Operation) -> list[NDArray[np.float32]]:
    """Return the weights of an operation; kernels with the weights of one output in a row."""
    arrays = [np.frombuffer(each, "<f4") for each in network.arrays(operation)]
    if isinstance(operation, Convolution):
        windows = arrays[0].reshape(math.prod(operation.size), -1, operation.filters)
        arrays[0] = np.moveaxis(windows, -1, 0)
    if isinstance(operation, Dense):
        arrays[0] = arrays[0].reshape(-1, operation.units).T
    return arrays
