"""What the parent asks of the child, and what the child may answer: typed JSON, one line each."""

from __future__ import annotations

from typing import Literal

import msgspec

from mnist_tasks.vetting.limits import Limits  # noqa: TC001 - msgspec reads the annotations

#: The child's steps, in order. Until ``vet`` is done, whatever goes wrong is the file's doing.
StageName = Literal["start", "vet", "import", "count", "load", "predict", "done"]


class Request(msgspec.Struct, frozen=True):
    """What is to be done with the model file that lies beside the request."""

    model: str
    kind: str
    vet_only: bool
    image_sets: list[tuple[str, str]]
    latency_runs: int
    limits: Limits
    parent: int


class Stage(msgspec.Struct, frozen=True, tag="stage"):
    """A step begins."""

    name: StageName


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """The file is to be turned away."""

    found: str
    expected: str | None = None


class Lacking(msgspec.Struct, frozen=True, tag="lacking"):
    """The machine is short of something that the file may rightly ask for."""

    found: str


class Vetted(msgspec.Struct, frozen=True, tag="vetted"):
    """What the static pass found."""

    layers: list[str]
    weights: int


class LayerFacts(msgspec.Struct, frozen=True):
    """One layer of the built model."""

    name: str
    kind: str
    output_shape: list[int | None]
    parameters: int


class Inspected(msgspec.Struct, frozen=True, tag="inspected"):
    """What the model is and what it predicts; the probabilities are raw float32, as base64."""

    layers: list[LayerFacts]
    trainable: int
    non_trainable: int
    input_shapes: list[list[int | None]]
    output_shapes: list[list[int | None]]
    probabilities: dict[str, bytes]
    no_predictions_reason: str | None
    latency: list[float]


Answer = Stage | Refused | Lacking | Vetted | Inspected
