"""A network as its arithmetic: what its layers do with one image, and their weights.

That is enough to compute it without Keras, as the page of `demo` does. The child process reads it
from the model that it loaded (`execution.network_reader`); `require_valid` is for the parent, which
doesn't trust the child.

All values are in the order height, width, channels, as in Keras's ``channels_last``; a vector is
(1, 1, n). Arrays are little-endian float32.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

MOST_NUMBERS = 500_000  # of weights; the message and the page have 5.4 bytes for each
MOST_VALUES = 1_000_000  # that an operation outputs
MOST_OPERATIONS = 250

Size = Annotated[int, Meta(ge=1, le=MOST_NUMBERS)]
Sizes = tuple[Size, Size, Size]
Pair = tuple[Size, Size]


class _Operation(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag=str.lower):
    """One step; in a message, ``kind`` is the name of its class in lower case."""


class _Window(_Operation, frozen=True, kw_only=True):
    """What looks at a window of pixels: `size` and `strides` are vertical and horizontal.

    With `same`, the windows go over the edge, so that there is one for each stride.
    """

    size: Pair
    strides: Pair
    same: bool


class Convolution(_Window, frozen=True, kw_only=True):
    """A convolution: `kernel` is (height, width, channels, filters), `bias` is (filters,)."""

    filters: Size
    kernel: bytes
    bias: bytes


class Pooling(_Window, frozen=True, kw_only=True):
    """The largest value of a window, or the mean of those that are in the image."""

    function: Literal["max", "average"]


class Scaling(_Operation, frozen=True, kw_only=True):
    """A factor and a summand for each channel: both are (channels,)."""

    factors: bytes
    summands: bytes


class Dense(_Operation, frozen=True, kw_only=True):
    """A weighted sum of all values: `kernel` is (values, units), `bias` is (units,)."""

    units: Size
    kernel: bytes
    bias: bytes


class Reshape(_Operation, frozen=True, kw_only=True):
    """The same values in another shape."""

    shape: Sizes


class Activation(_Operation, frozen=True, kw_only=True):
    """A function of each value; ``softmax`` is one of all channels."""

    function: Literal["relu", "softmax"]


Operation = Convolution | Pooling | Scaling | Dense | Reshape | Activation


class Network(msgspec.Struct, frozen=True, kw_only=True):
    """The operations of a network, in order; empty if it has layers that are `unsupported`."""

    operations: Annotated[list[Operation], Meta(max_length=MOST_OPERATIONS)]
    unsupported: Annotated[list[str], Meta(max_length=MOST_OPERATIONS)]


def sizes(shape: Sequence[int | None]) -> Sizes:
    """Return a shape without its batch as height, width and channels.

    Raises
    ------
    ValueError
        It is neither a vector nor an image, or a size is open.
    """
    match shape:
        case (int(count),):
            return 1, 1, count
        case (int(height), int(width)):
            return height, width, 1
        case (int(height), int(width), int(channels)):
            return height, width, channels
    raise ValueError(f"the shape {shape}")


def shapes(operations: Sequence[Operation], shape: Sizes) -> Iterator[Sizes]:
    """Yield the shape of each operation's output.

    Parameters
    ----------
    shape
        That of an image.

    Raises
    ------
    ValueError
        The weights of an operation don't fit its input.
    """
    for operation in operations:
        shape = _output(operation, shape)
        yield shape


def arrays(operation: Operation) -> tuple[bytes, ...]:
    """Return the arrays of an operation."""
    match operation:
        case Convolution() | Dense():
            return operation.kernel, operation.bias
        case Scaling():
            return operation.factors, operation.summands
    return ()


def weights(operations: Sequence[Operation]) -> NDArray[np.float32]:
    """Return all weights of operations in one array: those of the first one first."""
    return np.frombuffer(b"".join(part for each in operations for part in arrays(each)), "<f4")


def require_valid(network: Network, shape: Sequence[int | None], classes: int) -> None:
    """Verify that a network maps inputs of a shape to values of so many classes.

    Raises
    ------
    ValueError
        It doesn't, it has too many numbers, or one that is not finite.
    """
    if network.unsupported:
        return
    values = weights(network.operations)
    if len(values) > MOST_NUMBERS or not np.isfinite(values).all():
        raise ValueError("too many weights, or one that is not finite")
    *_, last = sizes(shape), *shapes(network.operations, sizes(shape))
    if last != (1, 1, classes):
        raise ValueError(f"an output of the shape {last}")


def margin(size: int, operation: Convolution | Pooling, axis: int) -> tuple[int, int]:
    """Return how many windows there are along an axis, and how far the first is over the edge.

    TensorFlow puts the odd pixel of ``same`` after the image.
    """
    window, stride = operation.size[axis], operation.strides[axis]
    if not operation.same:
        return 1 + (size - window) // stride, 0
    count = -(-size // stride)
    return count, max(0, (count - 1) * stride + window - size) // 2


def _output(operation: Operation, shape: Sizes) -> Sizes:
    height, width, channels = result = shape
    expected: tuple[int, ...] = ()  # numbers in its arrays
    match operation:
        case Convolution():
            result = *_windows(operation, shape), operation.filters
            expected = math.prod((*operation.size, channels, result[2])), result[2]
        case Pooling():
            result = *_windows(operation, shape), channels
        case Dense():
            result = 1, 1, operation.units
            expected = height * width * channels * operation.units, operation.units
        case Scaling():
            expected = channels, channels
        case Reshape():
            result = operation.shape
    is_reshaped = isinstance(operation, Reshape) and math.prod(result) != math.prod(shape)
    if is_reshaped or not 0 < min(result) <= math.prod(result) <= MOST_VALUES:
        raise ValueError(f"{type(operation).__name__} from {shape} to {result}")
    if [len(each) for each in arrays(operation)] != [4 * count for count in expected]:
        raise ValueError(f"weights of {type(operation).__name__} for {shape}")
    return result


def _windows(operation: Convolution | Pooling, shape: Sizes) -> Pair:
    rows, columns = (margin(shape[axis], operation, axis)[0] for axis in (0, 1))
    return rows, columns
