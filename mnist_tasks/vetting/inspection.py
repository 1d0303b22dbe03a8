"""What was found in a model file: the facts that pass from the guarded child to the contract."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from mnist_tasks.records import Layer, Shape


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """A model file that was vetted, loaded and asked for its predictions.

    Attributes
    ----------
    sha256, bytes
        Of the very bytes that were vetted and loaded.
    format
        ``h5`` or ``keras``.
    input_shapes, output_shapes
        One for each of the model's inputs and outputs.
    probabilities
        For each set of images that was asked for: (n, 10) float32. Empty when the model's input or
        output doesn't take or give what the data needs, or when its size kept it from being loaded;
        ``no_predictions_reason`` then says why.
    latency
        Seconds for one image, one for each measured call; empty unless asked for.
    """

    sha256: str
    bytes: int
    format: str
    layers: tuple[Layer, ...]
    trainable_parameters: int
    non_trainable_parameters: int
    input_shapes: tuple[Shape, ...]
    output_shapes: tuple[Shape, ...]
    probabilities: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    no_predictions_reason: str | None = None
    latency: tuple[float, ...] = ()

    @property
    def parameters(self) -> int:
        """Every number that the model carries."""
        return self.trainable_parameters + self.non_trainable_parameters


@dataclass(frozen=True, kw_only=True)
class VettedFile:
    """A model file that passed the static pass: neither loaded nor asked anything.

    Attributes
    ----------
    layers
        The class of each layer, in order, models within the model unrolled.
    weights
        How many numbers the file declares, the optimizer's own apart.
    """

    sha256: str
    bytes: int
    format: str
    layers: tuple[str, ...]
    weights: int
