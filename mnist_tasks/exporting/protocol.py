"""What the processes of an export are asked, and what they answer: typed JSON in files."""

from __future__ import annotations

from typing import Literal

import msgspec

from mnist_tasks.dataset_info import ImageShape
from mnist_tasks.exporting.formats import Format
from mnist_tasks.exporting.results import ExportInput, Values
from mnist_tasks.vetting.limits import Limits

REQUEST, RESULT = "request.json", "result.json"
MODEL, INPUTS, ARTIFACT = "model", "inputs.npy", "artifact"
#: The outputs for all inputs in batches, and for the first of them one at a time.
OUTPUTS, ALONE = "outputs.npy", "alone.npy"


class Convert(msgspec.Struct, frozen=True, kw_only=True):
    """Convert the model file `MODEL` to `ARTIFACT`, and time Keras's model with `INPUTS`."""

    format: Format
    file_format: str  # of the model: h5 or keras
    sha256: str
    image_shape: ImageShape
    input: ExportInput
    classes: tuple[str, ...]
    limits: Limits
    latency_runs: int


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """Run `ARTIFACT` on `INPUTS`, and write `OUTPUTS` and `ALONE`."""

    format: Format
    output: Values
    batch_size: int
    latency_runs: int


class Converted(msgspec.Struct, frozen=True, tag="converted", kw_only=True):
    """The model was converted; `batch` is the only size that it takes, ``None`` is any."""

    output: Values
    batch: int | None = None
    latency: list[float]  # seconds
    versions: dict[str, str]


class Ran(msgspec.Struct, frozen=True, tag="ran", kw_only=True):
    """The artifact was run."""

    latency: list[float]  # seconds
    versions: dict[str, str]


class Failed(msgspec.Struct, frozen=True, tag="failed", kw_only=True):
    """It failed: a library is broken, memory or disk space ran out, or the model is the cause."""

    cause: Literal["library", "room", "model"]
    found: str
    library: str = ""


Result = Converted | Ran | Failed
