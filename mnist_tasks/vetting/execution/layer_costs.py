"""What one call of a layer costs for one image: its operations, and the numbers it produces.

Every class of the allow-list is in `COSTS`, or one of the `ELEMENTWISE` ones or of the operations;
`of_call` fails for any other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mnist_tasks.vetting.execution import sequence_costs
from mnist_tasks.vetting.static import allowlist

#: Layers that use each number of their input, and produce each of their output, once.
ELEMENTWISE = allowlist.words("""
    InputLayer Identity Activation ActivityRegularization Flatten Reshape Permute RepeatVector
    GlobalMaxPooling1D GlobalMaxPooling2D GlobalAveragePooling1D GlobalAveragePooling2D
    ZeroPadding1D ZeroPadding2D Cropping1D Cropping2D Rescaling Normalization Dropout
    SpatialDropout1D SpatialDropout2D AlphaDropout GaussianDropout GaussianNoise ReLU LeakyReLU
    PReLU ELU Softmax Add Subtract Multiply Average Maximum Minimum Concatenate RandomBrightness
    RandomContrast RandomErasing RandomFlip RandomGaussianBlur RandomRotation RandomTranslation
    RandomZoom
""")  # the random layers do nothing at inference

# Numbers of the input that an interpolation reads for each one of the output.
_TAPS = {"nearest": 1, "bilinear": 4, "bicubic": 16, "lanczos3": 36, "lanczos5": 100}


@dataclass(frozen=True)
class Cost:
    """Costs for one image.

    Attributes
    ----------
    operations
        Multiply-adds, comparisons or other steps of arithmetic.
    numbers
        The layer's output, and the intermediate results that are larger than it.
    """

    operations: int
    numbers: int


def elements(tensor: Any) -> int:
    """Return how many numbers a tensor has for one image; an open size counts as 1."""
    return math.prod(size or 1 for size in tensor.shape[1:])


def of_call(layer: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> Cost:
    """Return what a layer costs when it is called on these tensors.

    Raises
    ------
    KeyError
        The class of the layer is in neither list.
    """
    produced = sum(map(elements, outputs))
    # What every layer does: read the input, write the output.
    steps = max(produced, sum(map(elements, inputs)))
    kind = type(layer).__name__
    if kind in ELEMENTWISE | allowlist.OPERATIONS:
        return Cost(steps, produced)
    more = COSTS[kind](layer, inputs, outputs[0])
    return Cost(steps + more.operations, produced + more.numbers)


def _dense(layer: Any, _inputs: Sequence[Any], output: Any) -> Cost:
    return Cost(_weights(layer) * (elements(output) // output.shape[-1]), 0)


def _convolution(layer: Any, _inputs: Sequence[Any], output: Any) -> Cost:
    """Each weight is used once at each position of the output."""
    return Cost(_weights(layer) * _positions(layer, output), 0)


def _transposed(layer: Any, inputs: Sequence[Any], _output: Any) -> Cost:
    """Each weight is used once at each position of the input."""
    return Cost(_weights(layer) * _positions(layer, inputs[0]), 0)


def _pooling(layer: Any, _inputs: Sequence[Any], output: Any) -> Cost:
    dimensions = len(output.shape) - 2
    size = layer.pool_size
    window = math.prod(size) if isinstance(size, (list, tuple)) else size**dimensions
    return Cost(window * elements(output), 0)


def _adaptive_pooling(layer: Any, inputs: Sequence[Any], output: Any) -> Cost:
    """Keras pools rows, then columns, each at every position with windows of two sizes."""
    height, width, channels = _image(layer, inputs[0])
    new_height, new_width, _ = _image(layer, output)
    rows = 2 * height * (-(-height // new_height) + 1) * width * channels
    columns = 2 * width * (-(-width // new_width) + 1) * new_height * channels
    between = 2 * (height * width + new_height * width) * channels
    return Cost(rows + columns + between, between)


def _upsampling(layer: Any, _inputs: Sequence[Any], output: Any) -> Cost:
    taps = _TAPS.get(getattr(layer, "interpolation", "nearest"), 1)
    return Cost(taps * elements(output), 0)


def _resizing(layer: Any, inputs: Sequence[Any], output: Any) -> Cost:
    height, width, channels = _image(layer, inputs[0])
    new_height, new_width, _ = _image(layer, output)
    # An antialiased pixel reads more of them where the image shrinks.
    shrinking = max(1, -(-height // new_height)) * max(1, -(-width // new_width))
    taps = _TAPS.get(getattr(layer, "interpolation", "bilinear"), 4)
    padded = 0
    if getattr(layer, "pad_to_aspect_ratio", False):
        tallest = max(height, -(-width * new_height // new_width))
        widest = max(width, -(-height * new_width // new_height))
        padded = max(tallest * width, height * widest) * channels
    return Cost(taps * shrinking * elements(output) + padded, padded)


def _normalization(_layer: Any, _inputs: Sequence[Any], output: Any) -> Cost:
    """Mean, variance, scale and offset."""
    return Cost(4 * elements(output), 0)


def _dot(layer: Any, inputs: Sequence[Any], output: Any) -> Cost:
    axes = layer.axes
    axis = axes[0] if isinstance(axes, (list, tuple)) else axes
    copies = sum(map(elements, inputs))  # normalized or transposed
    return Cost(int(inputs[0].shape[axis] or 1) * elements(output) + copies, copies)


def _sequence(layer: Any, inputs: Sequence[Any], output: Any) -> Cost:
    """Keep the states of all steps, or the scores of all pairs of positions."""
    numbers = 2 * int(output.shape[-1] or 1) * int(inputs[0].shape[1] or 1)
    if type(layer).__name__ == "MultiHeadAttention":
        numbers = 3 * sequence_costs.scores(layer, inputs)
    return Cost(sequence_costs.of_call(layer, inputs), numbers)


def _weights(layer: Any) -> int:
    return sum(math.prod(weight.shape) for weight in layer.weights)


def _positions(layer: Any, tensor: Any) -> int:
    return elements(tensor) // (_channels(layer, tensor) or 1)


def _channels(layer: Any, tensor: Any) -> int:
    first = getattr(layer, "data_format", None) == "channels_first"
    return int(tensor.shape[1 if first else -1] or 1)


def _image(layer: Any, tensor: Any) -> tuple[int, int, int]:
    """Return the height, width and channels of a tensor of images."""
    sizes = [size or 1 for size in tensor.shape[1:]]
    if getattr(layer, "data_format", None) == "channels_first":
        sizes = [*sizes[1:], sizes[0]]
    height, width, channels = sizes
    return height, width, channels


COSTS: dict[str, Callable[[Any, Sequence[Any], Any], Cost]] = {
    "Dense": _dense,
    **dict.fromkeys(
        allowlist.words("""
            Conv1D Conv2D SeparableConv1D SeparableConv2D DepthwiseConv1D DepthwiseConv2D
        """),
        _convolution,
    ),
    "Conv2DTranspose": _transposed,
    **dict.fromkeys(
        allowlist.words("MaxPooling1D MaxPooling2D AveragePooling1D AveragePooling2D"), _pooling
    ),
    "AdaptiveAveragePooling2D": _adaptive_pooling,
    "AdaptiveMaxPooling2D": _adaptive_pooling,
    "UpSampling1D": _upsampling,
    "UpSampling2D": _upsampling,
    "Resizing": _resizing,
    "CenterCrop": _resizing,
    "RandomCrop": _resizing,
    **dict.fromkeys(
        allowlist.words("""
            BatchNormalization LayerNormalization GroupNormalization UnitNormalization
            RMSNormalization
        """),
        _normalization,
    ),
    "Dot": _dot,
    **dict.fromkeys(
        allowlist.RECURRENT | allowlist.words("Bidirectional MultiHeadAttention"), _sequence
    ),
}
