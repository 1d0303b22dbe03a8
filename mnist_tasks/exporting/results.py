"""What an export is: the file, what it takes and returns, and how it compares with the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mnist_tasks.check_records import ModelFile, Shape
from mnist_tasks.dataset_info import DatasetInfo
from mnist_tasks.exporting.formats import Format

#: The name of an exported model's only input.
INPUT = "images"
#: Where the `Card` is: in the metadata of ONNX, and in the folder of a SavedModel, where TensorFlow
#: reads nothing.
CARD_KEY = "mnist-tasks"
CARD_FILE = "assets.extra/mnist-tasks.json"
#: The name of its only output, which says what the numbers are.
Values = Literal["probabilities", "logits"]


@dataclass(frozen=True, kw_only=True)
class ExportInput:
    """The input of an exported model: float32 numbers that are made from pixels.

    Attributes
    ----------
    shape
        First the size of a batch: ``None`` is any; a LiteRT model with recurrent layers has 1.
    divisor, offset
        A pixel from 0 to 255 has to become ``pixel / divisor - offset``.
    """

    name: str = INPUT
    shape: Shape
    divisor: float
    offset: float


@dataclass(frozen=True, kw_only=True)
class ExportOutput:
    """The output of an exported model: (n, classes) float32.

    Attributes
    ----------
    name
        ``probabilities``, or ``logits``, whose softmax they are.
    classes
        What each column is.
    """

    name: Values
    classes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Export:
    """A model that was exported, run, and found to predict the same.

    Attributes
    ----------
    model
        The Keras model.
    path
        The exported file, or folder of a SavedModel.
    bytes
        Its size; of a folder, that of all files in it.
    sha256
        Of the file; ``None`` for a folder.
    input, output
        What is needed to use it; the artifact has it, too.
    dataset
        What the images are on which both were run.
    images
        How many; the predicted class is the same for every one.
    largest_difference
        Of any probability for any image.
    accuracy
        Of both, in [0, 1].
    better_pixels
        The range of pixels with which it is clearly higher, in words: the input may be another
        one than the contract says; ``None`` if there is none.
    latency_ms, keras_latency_ms
        Median time for a single image, on one thread, of the exported model and of Keras.
    keras
        The library that ran the model, with its version.
    versions
        Of the libraries that made and ran the exported model.
    seconds
        How long all of it took.
    """

    model: ModelFile
    format: Format
    path: str
    bytes: int
    sha256: str | None
    input: ExportInput
    output: ExportOutput
    dataset: DatasetInfo
    images: int
    largest_difference: float
    accuracy: float
    better_pixels: str | None
    latency_ms: float
    keras_latency_ms: float
    keras: str
    versions: dict[str, str]
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Card:
    """What is written into an artifact, as JSON, for whoever uses it.

    Attributes
    ----------
    made_by
        This program, with its version.
    model_sha256
        Of the Keras model's file.
    """

    made_by: str
    model_sha256: str
    input: ExportInput
    output: ExportOutput


def formula(given: ExportInput) -> str:
    """Return how a pixel becomes a number, in words.

    >>> formula(ExportInput(shape=(None, 28, 28), divisor=127.5, offset=1.0))
    'pixel / 127.5 - 1'
    """
    scaled = "pixel" if given.divisor == 1 else f"pixel / {given.divisor:g}"
    return f"{scaled} - {given.offset:g}" if given.offset else scaled
