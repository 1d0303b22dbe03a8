"""The layers of a recipe, as it lists them. Keras is not needed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from mnist_tasks.dataset_info import LARGEST_SIDE
from mnist_tasks.errors import UsageError

Pixels = Annotated[int, Meta(ge=1, le=LARGEST_SIDE)]
Fraction = Annotated[float, Meta(ge=0, lt=1)]


class _Layer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="layer", tag=str):
    """A layer of a network; in a record, ``layer`` is the name of its class."""


class _Convolution(_Layer, frozen=True, kw_only=True):
    """What the two kinds of convolution have in common."""

    filters: Annotated[int, Meta(ge=1, le=4096, description="Number of filters.")]
    kernel: Annotated[Pixels, Meta(description="Side of the kernel.")]
    stride: Annotated[Pixels, Meta(description="Step of the kernel.")] = 1
    padding: Annotated[
        Literal["valid", "same"], Meta(description="same: with zeros around the image.")
    ] = "valid"
    batch_norm: Annotated[
        bool, Meta(description="Batch normalization before ReLU, folded when saved.")
    ] = False


class Conv(_Convolution, frozen=True, kw_only=True):
    """A convolution with ReLU; `kernel` and `stride` in pixels, both ways.

    With `batch_norm`, it is trained without bias and with batch normalization before the ReLU. In
    the saved model, kernel and bias do what the normalization did: see `folding`.
    """


class SeparableConv(_Convolution, frozen=True, kw_only=True):
    """A depthwise separable convolution with ReLU: a kernel for each channel, then mixed channels.

    F. Chollet, "Xception: Deep learning with depthwise separable convolutions" (2017). `batch_norm`
    is as in `Conv`.
    """


class BatchNorm(_Layer, frozen=True, kw_only=True):
    """Batch normalization.

    Keras's default momentum of 0.99 is too slow for the few hundred steps of one epoch: the running
    statistics would still be close to their initial values.
    """

    momentum: Annotated[Fraction, Meta(description="Of the running statistics.")] = 0.9


class MaxPool(_Layer, frozen=True, kw_only=True):
    """The maximum of each square of `size` pixels."""

    size: Annotated[Pixels, Meta(description="Side of a square.")] = 2


class AveragePool(_Layer, frozen=True, kw_only=True):
    """The mean of each square of `size` pixels."""

    size: Annotated[Pixels, Meta(description="Side of a square.")] = 2


class GlobalAveragePool(_Layer, frozen=True, kw_only=True):
    """The mean of each feature map, as an image of one pixel.

    M. Lin et al., "Network in network" (2014).
    """


class Dropout(_Layer, frozen=True, kw_only=True):
    """Dropout of a fraction `rate` of the activations, or of whole feature maps.

    Whole maps: J. Tompson et al., "Efficient object localization using convolutional networks"
    (2015). Neighboring activations of a map are so alike that dropping single ones hides little.
    """

    rate: Annotated[Fraction, Meta(description="Fraction that is dropped.")]
    whole_maps: Annotated[bool, Meta(description="Drop whole feature maps.")] = False


LayerSpec = Conv | SeparableConv | BatchNorm | MaxPool | AveragePool | GlobalAveragePool | Dropout


def has_folded_normalization(layers: Iterable[LayerSpec]) -> bool:
    """Whether a convolution is trained with a normalization that the saved model doesn't have."""
    return any(isinstance(layer, _Convolution) and layer.batch_norm for layer in layers)


def require_images(layers: Iterable[LayerSpec], name: str, height: int, width: int) -> None:
    """Refuse images that are too small for a layer of a recipe.

    Parameters
    ----------
    name
        Of the recipe, for the error.
    height, width
        Of the images, in pixels.

    Raises
    ------
    UsageError
        What a layer gets is smaller than its kernel or its squares.
    """
    for index, layer in enumerate(layers):
        needed = stride = 1
        match layer:
            case Conv() | SeparableConv():
                needed = layer.kernel if layer.padding == "valid" else 1
                stride = layer.stride
            case MaxPool() | AveragePool():
                needed = stride = layer.size
            case GlobalAveragePool():
                height = width = 1
        if min(height, width) < needed:
            raise UsageError(
                f"recipe {name}: layers[{index}], {type(layer).__name__}",
                expected=f"at least {needed} x {needed} pixels",
                found=f"{height} x {width} pixels, after the layers before it",
            )
        height, width = (1 + (side - needed) // stride for side in (height, width))
