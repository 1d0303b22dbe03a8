"""The contract: what a model must be to be accepted. Nothing is measured or judged here.

Every bound is strict: a model on it fails. A field is named as its key in the contract file, and
what is ``None`` is not asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from mnist_tasks.checking.bounds import require, require_count, require_share
from mnist_tasks.checking.robustness import Perturbed  # noqa: TC001 - msgspec reads it
from mnist_tasks.vetting.allowlist import LAYERS

INPUT_SHAPES = ((28, 28, 1), (28, 28), (784,))  # what the images can be given as
OUTPUT_SHAPE = (None, 10)
# A contract may widen the limits of the sandbox, but not past what its memory holds.
MOST_PARAMETERS = 25_000_000
MOST_BYTES = 100_000_000


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """What the model must not be worse than, on the same images.

    Attributes
    ----------
    model
        A model file; it is vetted and asked like any other.
    record
        A run's folder, or its ``run.json``, with the predictions that ``check`` left beside it.
    tolerance_points
        How many percentage points of accuracy the model may lack.
    """

    model: str | None = None
    record: str | None = None
    tolerance_points: float = 0.0

    def __post_init__(self) -> None:
        one = (self.model is None) != (self.record is None)
        require("baseline", "both or neither", one, "either a model or a record")
        tolerance = self.tolerance_points
        require("baseline.tolerance_points", tolerance, 0 <= tolerance < 100, "from 0 to 100")

    @property
    def name(self) -> str:
        """The path of the model or the record."""
        return self.model or self.record or ""


@dataclass(frozen=True, kw_only=True)
class Contract:
    """The bounds; the first three and the output's shape are always asked for.

    Attributes
    ----------
    parameters_below
        Trainable and non-trainable together.
    input_shape
        Without the batch.
    accuracy_above, accuracy_below
        On the test images, in [0, 1]. A model that reaches the upper bound has seen them.
    worst_recall_above
        Of the digit that is recognized worst, in [0, 1].
    calibration_error_below
        Expected calibration error, in [0, 1].
    bytes_below
        Of the file.
    latency_below_ms
        The median time for one image.
    required_layers
        Classes of Keras layers, each of which the model must have.
    confidence
        When given, a clause on accuracy holds only if its two-sided interval at this level clears
        the bound, and is inconclusive where the interval straddles it.

    Raises
    ------
    UsageError
        A bound that no model could keep, or none could miss.
    """

    parameters_below: int = 25_000
    input_shape: tuple[int, ...] = (28, 28, 1)
    accuracy_above: Annotated[float, Meta(ge=0, lt=1, extra={"hint": "0.95 is 95%"})] = 0.95
    accuracy_below: float | None = None
    worst_recall_above: float | None = None
    calibration_error_below: float | None = None
    bytes_below: int | None = None
    latency_below_ms: float | None = None
    required_layers: tuple[str, ...] = ()
    confidence: float | None = None
    perturbed: Perturbed | None = None
    baseline: Baseline | None = None

    def __post_init__(self) -> None:
        require_count("parameters_below", self.parameters_below, MOST_PARAMETERS)
        require_count("bytes_below", self.bytes_below, MOST_BYTES)
        shapes = " or ".join(str(list(shape)) for shape in INPUT_SHAPES)
        shape = list(self.input_shape)
        require("input_shape", shape, self.input_shape in INPUT_SHAPES, shapes)
        require_share("accuracy_above", self.accuracy_above)
        require_share("worst_recall_above", self.worst_recall_above)
        if (below := self.accuracy_below) is not None:
            rule = f"above accuracy_above ({self.accuracy_above:g}), at most 1"
            require("accuracy_below", below, self.accuracy_above < below <= 1, rule)
        if (error := self.calibration_error_below) is not None:
            require("calibration_error_below", error, 0 < error <= 1, "above 0, at most 1")
        if (latency := self.latency_below_ms) is not None:
            rule = "above 0, at most 60000 milliseconds"
            require("latency_below_ms", latency, 0 < latency <= 60_000, rule)
        for kind in self.required_layers:
            require("required_layers", kind, kind in LAYERS, ", ".join(sorted(LAYERS)))
        if (level := self.confidence) is not None:
            rule = "from 0.5 to 0.999999: 0.99 is 99%"
            require("confidence", level, 0.5 <= level <= 0.999999, rule)
