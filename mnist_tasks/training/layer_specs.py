"""The layers of a recipe, as it lists them. Keras is not needed."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from mnist_tasks.dataset_info import LARGEST_SIDE

Pixels = Annotated[int, Meta(ge=1, le=LARGEST_SIDE)]
Fraction = Annotated[float, Meta(ge=0, lt=1)]


class _Layer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="layer", tag=str):
    """A layer of a network; in a record, ``layer`` is the name of its class."""


class Conv(_Layer, frozen=True, kw_only=True):
    """A convolution with ReLU; `kernel` and `stride` in pixels, both ways."""

    filters: Annotated[int, Meta(ge=1, le=4096, description="Number of filters.")]
    kernel: Annotated[Pixels, Meta(description="Side of the kernel.")]
    stride: Annotated[Pixels, Meta(description="Step of the kernel.")] = 1
    padding: Annotated[
        Literal["valid", "same"], Meta(description="same: with zeros around the image.")
    ] = "valid"


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


class Dropout(_Layer, frozen=True, kw_only=True):
    """Dropout of a fraction `rate` of the activations, or of whole feature maps.

    Whole maps: J. Tompson et al., "Efficient object localization using convolutional networks"
    (2015). Neighboring activations of a map are so alike that dropping single ones hides little.
    """

    rate: Annotated[Fraction, Meta(description="Fraction that is dropped.")]
    whole_maps: Annotated[bool, Meta(description="Drop whole feature maps.")] = False


LayerSpec = Conv | BatchNorm | MaxPool | AveragePool | Dropout
