"""Messages between the parent and the child process: typed JSON, one line each."""

from __future__ import annotations

from typing import Literal

import msgspec

from mnist_tasks import dataset_info
from mnist_tasks.check_records import Layer, Protection, Shape
from mnist_tasks.dataset_info import ImageShape
from mnist_tasks.vetting import image_input
from mnist_tasks.vetting.image_input import InputFormat
from mnist_tasks.vetting.limits import Limits
from mnist_tasks.vetting.network import Network
from mnist_tasks.vetting.outcomes import Outcome

#: How many strengths of noise are tried at most to plant one loss.
TRIALS = 16
#: The child's stages, in order. A failure before the end of ``vet`` is the file's fault.
StageName = Literal["start", "vet", "import", "count", "load", "predict", "done"]


class Planting(msgspec.Struct, frozen=True, kw_only=True):
    """Faults to plant into the model once it was run: see `execution.planting`."""

    labels: bytes  # of the first set of images, a byte each
    losses: tuple[float, ...]  # of accuracy, in (0, 1)

    @property
    def passes(self) -> int:
        """How often every image is predicted for it, at most."""
        return 2 + (TRIALS + 1) * len(self.losses)


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What to do: only the static check, or everything, for images and classes like these."""

    static_only: bool = False
    image_shape: ImageShape = dataset_info.MNIST.image_shape
    classes: int = len(dataset_info.MNIST.classes)
    input_format: InputFormat = image_input.DEFAULT
    latency_runs: int = 0
    network: bool = False
    planting: Planting | None = None

    @property
    def passes(self) -> int:
        """How often every image is predicted, at most."""
        return 1 + (self.planting.passes if self.planting else 0)


class Request(msgspec.Struct, frozen=True):
    """What to do with the model file in the working folder."""

    model: str
    file_format: str
    sha256: str
    image_sets: list[tuple[str, str]]  # name and file of each
    options: Options
    limits: Limits
    parent: int  # the user's process, out of whose reach the child must be


class Confined(msgspec.Struct, frozen=True, tag="confined"):
    """The child is confined. It sends this once, before it reads the file."""

    protections: list[Protection]


class Stage(msgspec.Struct, frozen=True, tag="stage"):
    """A stage begins."""

    name: StageName


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """The file is refused."""

    found: str
    expected: str | None = None
    outcome: Outcome = "model-unsupported"
    remedy: str | None = None


class EnvironmentProblem(msgspec.Struct, frozen=True, tag="environment-problem"):
    """The machine lacks something that a good model may need."""

    found: str


class BrokenLibrary(msgspec.Struct, frozen=True, tag="broken-library"):
    """A library that the child needs is missing, or its import failed."""

    name: str
    found: str
    missing: bool


class StaticResult(msgspec.Struct, frozen=True, tag="static"):
    """Result of the static check."""

    layers: list[str]
    weights: int
    keras_version: str | None = None


class PlantedResult(msgspec.Struct, frozen=True):
    """Predictions of worse models, as in `PlantedPredictions`, by set of images: raw float32."""

    noised: list[dict[str, bytes]]
    inverted: dict[str, bytes]


class InspectionResult(msgspec.Struct, frozen=True, tag="inspection"):
    """Description and predictions of a loaded model; the probabilities are raw float32."""

    keras: str
    keras_version: str | None
    layers: list[Layer]
    trainable: int
    non_trainable: int
    other_numbers: int
    input_shapes: list[Shape]
    output_shapes: list[Shape]
    probabilities: dict[str, bytes]
    other_pixels: dict[str, bytes]
    no_predictions_reason: str | None
    latency: list[float]
    network: Network | None = None
    planted: PlantedResult | None = None


Message = (
    Confined
    | Stage
    | Refused
    | EnvironmentProblem
    | BrokenLibrary
    | StaticResult
    | InspectionResult
)
