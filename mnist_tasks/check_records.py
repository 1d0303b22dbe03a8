"""What a check records: frozen dataclasses, as in `records`, which has those of a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mnist_tasks import dataset_info
from mnist_tasks import record_ranges as ranges
from mnist_tasks.dataset_info import DatasetInfo
from mnist_tasks.verdict import Verdict

Shape = tuple[ranges.Count | None, ...]


@dataclass(frozen=True, kw_only=True)
class ModelFile:
    """A saved model; `parameters` counts trainable and non-trainable ones."""

    path: str
    bytes: ranges.Count
    sha256: ranges.Sha256
    parameters: ranges.Count


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One layer of a model's summary; ``None`` in the shape is the batch dimension.

    Attributes
    ----------
    operations
        Multiply-adds for one image; ``None`` if they were not counted.
    """

    name: str
    kind: str
    output_shape: Shape
    parameters: ranges.Count
    operations: ranges.Count | None = None


@dataclass(frozen=True, kw_only=True)
class Metrics:
    """The metrics of a model on labeled images.

    Attributes
    ----------
    confusion
        Counts of images: a row for each true class, a column for each predicted class.
    loss
        Mean sparse categorical cross-entropy, in nats.
    calibration_error
        Expected calibration error in [0, 1], as `checking.metrics` defines it; ``None`` in a
        record of an older version.
    """

    confusion: ranges.Confusion
    loss: ranges.Loss
    calibration_error: ranges.Share | None = None

    @property
    def images(self) -> int:
        """The number of images."""
        return sum(map(sum, self.confusion))

    @property
    def correct(self) -> int:
        """The number of images that were classified correctly."""
        return sum(row[label] for label, row in enumerate(self.confusion))

    @property
    def accuracy(self) -> float:
        """The share of images that were classified correctly, in [0, 1]."""
        return self.correct / self.images if self.images else 0.0


@dataclass(frozen=True, kw_only=True)
class Protection:
    """One way in which the process that read a model file was confined.

    Attributes
    ----------
    status
        ``off`` if the system could, but failed or refused; ``not available`` if it has no such
        thing.
    detail
        What provides it, or why it is not on.
    """

    name: str
    status: Literal["on", "off", "not available"]
    detail: str


@dataclass(frozen=True, kw_only=True)
class Check:
    """A model file checked against a contract.

    Attributes
    ----------
    metrics
        ``None`` if the model made no predictions.
    contract
        The file that the contract was read from; ``None`` is the default contract.
    protections
        How the process that read and ran the model was confined; empty in older records.
    predictions
        SHA-256 of the file with the predictions for the test images; ``None`` if there is none, or
        in a record of an older version.
    keras
        The library that ran the model, with its version; ``None`` in an older record.
    keras_version
        Of the Keras that wrote the file; ``None`` if the file doesn't say.
    dataset
        What the test images and their labels are.
    test_images
        SHA-256 of the file of the test images; ``None`` if it is unknown, as in an older record.
    order
        As that of a run, among the checks of models that no run made.
    """

    model: ModelFile
    layers: tuple[Layer, ...]
    trainable_parameters: ranges.Count
    non_trainable_parameters: ranges.Count
    verdict: Verdict
    metrics: Metrics | None
    seconds: ranges.Seconds
    created: str
    contract: str | None = None
    protections: tuple[Protection, ...] = ()
    predictions: ranges.Sha256 | None = None
    keras: str | None = None
    keras_version: str | None = None
    dataset: DatasetInfo = dataset_info.MNIST
    test_images: ranges.Sha256 | None = None
    order: str = ""
