"""What vetting returns: `VettedFile` for a static check, `Inspection` for a model that was run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mnist_tasks.check_records import Layer, ModelFile, Protection, Shape
from mnist_tasks.vetting.network import Network

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

CHECKED = (
    "classes, functions and settings: all are known, and none runs code",
    "links and storage: nothing leads to another file",
    "stored numbers: each belongs to a layer or to its training",
    "training configuration: it names nothing outside Keras",
)
NOT_CHECKED = (
    "whether Keras can build it",
    "how much memory and time that takes",
    "what it predicts",
)


@dataclass(frozen=True, kw_only=True)
class VettedFile:
    """A model file that passed the static check; it was not loaded.

    Attributes
    ----------
    sha256, bytes
        Hash and size of exactly the bytes that were vetted.
    format
        ``h5`` or ``keras``.
    layers
        Class of each layer, in order, those of nested models included.
    parameters
        How many the file declares: all of its numbers but those of the training.
    keras_version
        Version of the Keras that wrote the file, as the file says; ``None`` if it doesn't.
    protections
        How the process that read the file was confined.
    keras_opens_name
        Whether Keras, which goes by a file's name, reads this format under the file's name.
    checked, not_checked
        What the static check looked at, and what it doesn't show.
    """

    sha256: str
    bytes: int
    format: str
    layers: tuple[str, ...]
    parameters: int
    keras_version: str | None = None
    protections: tuple[Protection, ...] = ()
    keras_opens_name: bool = True
    checked: tuple[str, ...] = CHECKED
    not_checked: tuple[str, ...] = NOT_CHECKED


@dataclass(frozen=True, kw_only=True)
class PlantedPredictions:
    """The predictions of models that were made worse, by set of images, as `Inspection` has them.

    Attributes
    ----------
    noised
        With noise in the weights, for each loss of accuracy that was requested; empty if noise of
        no strength loses as much.
    inverted
        With inverted pixels; empty if a prediction is not finite.
    """

    noised: tuple[Mapping[str, NDArray[np.float32]], ...]
    inverted: Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """A model file that was vetted, loaded and run.

    Attributes
    ----------
    sha256, bytes, format, keras_version
        As in `VettedFile`.
    keras
        The library that ran the model, with its version: ``Keras 3.15.1``.
    other_numbers
        How many 32-bit numbers it stores beside its parameters: constants of layers, and the
        second half of each float64.
    input_shapes, output_shapes
        One for each of the model's inputs and outputs.
    probabilities
        (n, classes) float32 in [0, 1] for each set of images. Empty if the model is too large to be
        loaded or its shapes don't fit the data; ``no_predictions_reason`` then says why.
    other_pixels
        (m, classes) float32 in [0, 1] for a sample of the test images, by the range of pixels that
        the model got them in.
    latency
        Seconds per image of each measured call; empty unless requested.
    network
        The model's arithmetic, if it was requested and the model was run.
    planted
        What the model predicts once it was made worse, if that was requested and the model was run.
    protections
        As in `VettedFile`.
    """

    sha256: str
    bytes: int
    format: str
    keras: str
    keras_version: str | None = None
    layers: tuple[Layer, ...]
    trainable_parameters: int
    non_trainable_parameters: int
    other_numbers: int = 0
    input_shapes: tuple[Shape, ...]
    output_shapes: tuple[Shape, ...]
    probabilities: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    other_pixels: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    no_predictions_reason: str | None = None
    latency: tuple[float, ...] = ()
    network: Network | None = None
    planted: PlantedPredictions | None = None
    protections: tuple[Protection, ...] = ()

    @property
    def parameters(self) -> int:
        """Trainable and non-trainable parameters, and the other numbers."""
        return self.trainable_parameters + self.non_trainable_parameters + self.other_numbers

    def model_file(self, path: Path) -> ModelFile:
        """Return what a record says about the file, which was found under this path."""
        return ModelFile(
            path=str(path), bytes=self.bytes, sha256=self.sha256, parameters=self.parameters
        )
