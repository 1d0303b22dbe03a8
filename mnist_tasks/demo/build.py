"""Build the demo page of a model file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mnist_tasks import dataset_info
from mnist_tasks.check_records import ModelFile
from mnist_tasks.checking import clauses, metrics
from mnist_tasks.checking.clauses import TEST_IMAGES
from mnist_tasks.checking.contract import Contract
from mnist_tasks.data.store import LabeledImages
from mnist_tasks.dataset_info import DatasetInfo
from mnist_tasks.demo import examples, page
from mnist_tasks.demo.model_data import model_data
from mnist_tasks.errors import InputRefusedError
from mnist_tasks.vetting import image_input, network, sandbox
from mnist_tasks.vetting.inspection import Inspection
from mnist_tasks.vetting.network import Operation

SUPPORTED = (
    "layers of recipes in a row: Conv2D, BatchNormalization, MaxPooling2D, AveragePooling2D, "
    "Dropout, Flatten, Dense, ReLU, softmax"
)


@dataclass(frozen=True, kw_only=True)
class Demo:
    """A demo page.

    Attributes
    ----------
    html
        The page.
    draws
        Whether digits can be drawn on it.
    probabilities
        (n, classes) float32, the model's predictions for the test images; ``None`` without these.
    wrong
        How many of these predictions are wrong.
    better_pixels
        The range of pixels with which the model is clearly more accurate than with the contract's;
        ``None`` if there is none.
    """

    html: str
    model: ModelFile
    dataset: DatasetInfo
    draws: bool
    probabilities: NDArray[np.float32] | None
    wrong: int | None
    better_pixels: str | None = None


def build(
    path: Path,
    info: DatasetInfo,
    data: LabeledImages | None,
    contract: Contract | None = None,
    *,
    require_isolation: bool = False,
) -> Demo:
    """Vet and run a model file, and build the page that computes the model.

    Parameters
    ----------
    data
        The test images, if there are any.
    contract
        What it says about a model's input and its limits is used.
    require_isolation
        Whether to refuse the file unless each essential protection is on.

    Raises
    ------
    InputRefusedError
        The file is missing, corrupt, unsupported or unsafe, or the model has other layers than
        recipes.
    EnvironmentProblemError
        TensorFlow is missing, or the model ran into a limit.
    """
    contract = contract or Contract()
    form = contract.input_format(info)
    inspection = sandbox.inspect(
        path,
        image_sets={TEST_IMAGES: np.zeros((10, *info.array_shape), np.uint8)}
        if data is None
        else {TEST_IMAGES: data.images},
        classes=len(info.classes),
        input_format=form,
        network=True,
        limits=contract.limits(info, require_isolation=require_isolation),
    )
    operations, shape = _operations(inspection, path, info)
    model = inspection.model_file(path)
    draws = info == dataset_info.MNIST
    facts = f"{path.name} has {model.parameters:,} parameters"
    predicted = wrong = better = None
    if data is not None:
        predicted = inspection.probabilities[TEST_IMAGES]
        wrong = int((predicted.argmax(axis=1) != data.labels).sum())
        others = metrics.of_samples(inspection.other_pixels, data.labels)
        better = clauses.better_pixels(1 - wrong / len(predicted), others)
        facts += f", and classifies {1 - wrong / len(predicted):.2%} of {len(predicted):,} test "
        facts += "images correctly"
    return Demo(
        html=page.render(
            model_data(operations, shape, info=info, pixels=form.pixels, draws=draws),
            info,
            facts=f"{facts}. Its SHA-256 begins with {model.sha256[:12]}.",
            examples=[] if data is None or predicted is None else examples.groups(data, predicted),
        ),
        model=model,
        dataset=info,
        draws=draws,
        probabilities=predicted,
        wrong=wrong,
        better_pixels=better,
    )


def _operations(
    inspection: Inspection, path: Path, info: DatasetInfo
) -> tuple[list[Operation], network.Sizes]:
    """Return the operations of a model that the page can compute, and the shape of its input."""
    found, expected = inspection.no_predictions_reason, "a model that makes predictions"
    if found is None and inspection.network is not None:
        (shape,) = inspection.input_shapes
        if inspection.network.unsupported:
            found, expected = ", ".join(inspection.network.unsupported), SUPPORTED
        elif image_input.layout(shape[1:], info.image_shape) != info.image_shape:
            found, expected = f"an input of the shape {shape}", f"images {info.image_shape}"
        else:
            return list(inspection.network.operations), network.sizes(shape[1:])
    raise InputRefusedError(
        str(path), expected=expected, found=found or "no network", reason="model-unsupported"
    )
