"""The contract: the bounds that a model must meet.

Fields are named like their keys in the contract file; ``None`` leaves a clause out. Every bound is
strict: a model at the bound fails.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, structs

from mnist_tasks import constraints, dataset_info
from mnist_tasks.dataset_info import LARGEST_SIDE, DatasetInfo, ImageShape
from mnist_tasks.errors import UsageError, printable
from mnist_tasks.vetting import image_input
from mnist_tasks.vetting.image_input import InputFormat
from mnist_tasks.vetting.limits import Limits
from mnist_tasks.vetting.static.allowlist import LAYERS

Proportion = Annotated[float, Meta(ge=0, lt=1, extra={"hint": "0.95 is 95%"})]
UpToOne = Annotated[float, Meta(gt=0, le=1)]
Confidence = Annotated[float, Meta(ge=0.5, le=0.999999, extra={"hint": "0.99 is 99%"})]
Milliseconds = Annotated[float, Meta(gt=0, le=60_000)]
# The largest model that fits into the memory of the sandbox.
Parameters = Annotated[int, Meta(ge=1, le=25_000_000)]
Bytes = Annotated[int, Meta(ge=1, le=100_000_000)]
_INPUT_SHAPE = "[h, w, 1], [h, w, 3], [h, w] or the number of an image's pixels"
InputShape = Annotated[
    tuple[Annotated[int, Meta(ge=1)], ...],
    Meta(min_length=1, max_length=3, extra={"hint": _INPUT_SHAPE}),
]
PathText = Annotated[str, Meta(min_length=1)]
LayerName = Annotated[str, Meta(extra_json_schema={"enum": sorted(LAYERS)})]


class Table(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the contract file; values are also validated if it is created in Python."""

    prefix = ""  # of the keys in errors

    def __post_init__(self) -> None:
        for field in structs.fields(self):
            value = getattr(self, field.name)
            constraints.convert_value(value, field.type, f"{self.prefix}{field.name}")


class Standardized(Table, frozen=True):
    """Pixels of a given mean and standard deviation, computed on pixels from 0 to 1."""

    prefix = "pixels."
    mean: Annotated[float, Meta(ge=0, le=1, description="Mean; 0.1307 for MNIST.")]
    std: Annotated[UpToOne, Meta(description="Standard deviation; 0.3081 for MNIST.")]


class Perturbation(Table, frozen=True):
    """Accuracy on perturbed test images."""

    title = ""  # of the clause
    accuracy_above: Annotated[Proportion, Meta(description="Accuracy on these images, in [0, 1).")]

    @property
    def clause_name(self) -> str:
        """The name of the clause."""
        return self.title.format_map(structs.asdict(self))


class Shift(Perturbation, frozen=True):
    """Accuracy on images moved by some pixels, each to one of eight sides or corners."""

    prefix = "perturbed.shift."
    title = "accuracy shifted by {pixels} px"
    # MNIST's digits have a margin of four pixels, and a larger shift would cut them off.
    pixels: Annotated[int, Meta(ge=1, le=4, description="Distance in pixels.")]


class Rotate(Perturbation, frozen=True):
    """Accuracy on images rotated by an angle, each clockwise or counterclockwise."""

    prefix = "perturbed.rotate."
    title = "accuracy rotated by {degrees:g}°"
    degrees: Annotated[float, Meta(gt=0, le=45, description="Angle in degrees.")]


class Noise(Perturbation, frozen=True):
    """Accuracy on images with Gaussian noise."""

    prefix = "perturbed.noise."
    title = "accuracy with noise of {sigma:g}"
    sigma: Annotated[UpToOne, Meta(description="Standard deviation; 1 is from black to white.")]


class Perturbed(Table, frozen=True):
    """Accuracy on perturbed test images: at least one kind of perturbation."""

    prefix = "perturbed."
    shift: Shift | None = None
    rotate: Rotate | None = None
    noise: Noise | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.by_name:
            raise UsageError("perturbed", expected="a shift, rotate or noise", found="none of them")

    @property
    def by_name(self) -> dict[str, Shift | Rotate | Noise]:
        """The perturbations of the contract, by their key."""
        return {name: each for name, each in structs.asdict(self).items() if each is not None}


class Baseline(Table, frozen=True):
    """A model or a record that the model must not be worse than, on the same images."""

    prefix = "baseline."
    model: Annotated[
        PathText | None,
        Meta(description="Model file, relative to this file; vetted like any other."),
    ] = None
    record: Annotated[
        PathText | None,
        Meta(description="Folder or run.json of a checked run, relative to this file."),
    ] = None
    tolerance_points: Annotated[
        float,
        Meta(ge=0, lt=100, description="Percentage points of accuracy that the model may lose."),
    ] = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.model is None) == (self.record is None):
            found = "neither" if self.model is None else "both"
            raise UsageError("baseline", expected="either a model or a record", found=found)

    @property
    def path(self) -> str:
        """The path of the model or the record."""
        return self.model or self.record or ""


class Contract(Table, frozen=True):
    """The contract of mnist-tasks. Every bound is strict: a model at the bound fails."""

    parameters_below: Annotated[
        Parameters, Meta(description="Number of parameters, trainable and non-trainable.")
    ] = 25_000
    input_shape: Annotated[
        InputShape | None,
        Meta(
            description="Shape of the model's input, without the batch; by default that of the "
            "data set's images, [28, 28, 1] for MNIST."
        ),
    ] = None
    pixels: Annotated[
        Literal["0-1", "0-255", "-1-1"] | Standardized,
        Meta(description="Range of the pixels that the model gets."),
    ] = "0-1"
    fit: Annotated[
        Literal["pad", "resize"],
        Meta(description="How images come to another size: padded with zeros, or resized."),
    ] = "pad"
    accuracy_above: Annotated[
        Proportion, Meta(description="Accuracy on the test images, in [0, 1).")
    ] = 0.95
    accuracy_below: Annotated[
        UpToOne | None,
        Meta(description="Accuracy that only a model trained on the test images reaches."),
    ] = None
    worst_recall_above: Annotated[
        Proportion | None, Meta(description="Lowest recall of any class, in [0, 1).")
    ] = None
    calibration_error_below: Annotated[
        UpToOne | None, Meta(description="Expected calibration error, in (0, 1].")
    ] = None
    bytes_below: Annotated[Bytes | None, Meta(description="Size of the model file.")] = None
    latency_below_ms: Annotated[
        Milliseconds | None, Meta(description="Median time for one image, in milliseconds.")
    ] = None
    required_layers: Annotated[
        tuple[LayerName, ...], Meta(description="Keras layers that the model must have.")
    ] = ()
    confidence: Annotated[
        Confidence | None,
        Meta(
            description="Confidence level. The whole interval of an accuracy must be on the right "
            "side of the bound; if it contains the bound, the clause is inconclusive."
        ),
    ] = None
    perturbed: Perturbed | None = None
    baseline: Baseline | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        # What a single number means depends on the data set: see `input_format`.
        if self.input_shape and len(self.input_shape) > 1:
            _layout(self.input_shape, dataset_info.MNIST)
        if self.accuracy_below is not None and self.accuracy_below <= self.accuracy_above:
            rule = f"above accuracy_above ({self.accuracy_above:g}), at most 1"
            raise UsageError("accuracy_below", expected=rule, found=str(self.accuracy_below))
        for name in self.required_layers:
            if name not in LAYERS:
                known = ", ".join(sorted(LAYERS))
                raise UsageError(
                    "required_layers", expected=f"one of {known}", found=printable(name)
                )

    def limits(
        self, dataset: DatasetInfo = dataset_info.MNIST, *, require_isolation: bool = False
    ) -> Limits:
        """Return the limits of the sandbox, raised where this allows more, and for large images.

        Parameters
        ----------
        require_isolation
            As in `vetting.limits.Limits`.
        """
        height, width, _ = dataset.image_shape
        return Limits(require_isolation=require_isolation).raised(
            file_bytes=self.bytes_below, parameters=self.parameters_below, pixels=height * width
        )

    def input_format(self, dataset: DatasetInfo) -> InputFormat:
        """Return how a model gets the images of a data set.

        Raises
        ------
        UsageError
            The images can't be brought to the contract's input shape.
        """
        shape, pixels = self.input_shape or dataset.image_shape, self.pixels
        layout = _layout(shape, dataset)
        height, width, _ = dataset.image_shape
        if self.fit == "pad" and (layout[0] < height or layout[1] < width):
            raise UsageError(
                "fit",
                expected='"resize", as input_shape is smaller than the images, '
                f"{height} x {width} pixels",
                found='"pad"',
            )
        return InputFormat(
            pixels=image_input.CONVENTIONS[pixels]
            if isinstance(pixels, str)
            else image_input.standardized(pixels.mean, pixels.std),
            shape=shape,
            fit=self.fit,
        )


def _layout(shape: tuple[int, ...], dataset: DatasetInfo) -> ImageShape:
    """Return the size and channels of the images that an input takes."""
    layout = image_input.layout(shape, dataset.image_shape)
    if layout is None or max(layout) > LARGEST_SIDE:
        raise UsageError(
            "input_shape",
            expected=f"{_INPUT_SHAPE}, with h and w of at most {LARGEST_SIDE}",
            found=str(list(shape)),
        )
    return layout
