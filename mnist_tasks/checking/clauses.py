"""Evaluate measurements against the contract, clause by clause.

Every clause is evaluated and reported, even after one has failed. Comparisons with NaN are false,
so that NaN never passes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median

from mnist_tasks import dataset_info
from mnist_tasks.check_records import Metrics, Shape
from mnist_tasks.checking import paired_test
from mnist_tasks.checking.contract import Contract
from mnist_tasks.checking.paired_test import PairedCounts
from mnist_tasks.checking.proportions import ProportionBound, not_measured
from mnist_tasks.dataset_info import DatasetInfo
from mnist_tasks.errors import printable
from mnist_tasks.verdict import SEVERITY, TEST_ACCURACY, Clause, Verdict
from mnist_tasks.vetting import image_input
from mnist_tasks.vetting.inspection import Inspection

TEST_IMAGES = "test"  # the name of the set of unperturbed images
WORST_RECALL = "worst recall"
CEILING = "accuracy ceiling"
PAST_TENSE = {"pad": "padded", "resize": "resized"}
#: More than chance, on 250 images: the standard error of a difference is below 0.045.
CLEARLY_HIGHER = 0.1


@dataclass(frozen=True, kw_only=True)
class Measurements:
    """What was measured on a model.

    Attributes
    ----------
    metrics
        By set of images: `TEST_IMAGES`, and ``shift``, ``rotate``, ``noise``. Empty without
        predictions.
    paired
        Comparison with the baseline; ``None`` without a baseline or predictions.
    other_pixels
        Of a sample of the test images, by the range of pixels that the model got.
    """

    inspection: Inspection
    metrics: Mapping[str, Metrics]
    paired: PairedCounts | None = None
    other_pixels: Mapping[str, Metrics] = field(default_factory=dict)

    @property
    def no_predictions_reason(self) -> str:
        """Why there are no predictions."""
        return self.inspection.no_predictions_reason or "no predictions"


def evaluate(
    contract: Contract, measured: Measurements, dataset: DatasetInfo = dataset_info.MNIST
) -> Verdict:
    """Evaluate the four default clauses, and those that the contract adds.

    `dataset` has the default of the input's shape, that of the output, and the classes' names.
    """
    clauses = (
        *_default_clauses(contract, measured, dataset),
        *_optional_clauses(contract, measured, dataset),
    )
    return Verdict(clauses=clauses)


def _default_clauses(
    contract: Contract, measured: Measurements, dataset: DatasetInfo
) -> Iterator[Clause]:
    model = measured.inspection
    yield _parameters(contract.parameters_below, model)
    input_shape = contract.input_shape or dataset.image_shape
    shape = _shape("input shape", (None, *input_shape), model.input_shapes)
    yield replace(shape, note=_images(contract, input_shape, dataset))
    shape = _shape("output shape", (None, len(dataset.classes)), model.output_shapes)
    yield replace(shape, note=_other_classes(model, dataset))
    bound = ProportionBound(bound=contract.accuracy_above, confidence=contract.confidence)
    accuracy = _accuracy(TEST_ACCURACY, bound, TEST_IMAGES, measured)
    yield replace(accuracy, note=_better_pixels(accuracy, measured))


def _optional_clauses(
    contract: Contract, measured: Measurements, dataset: DatasetInfo
) -> Iterator[Clause]:
    model, confidence = measured.inspection, contract.confidence
    if (limit := contract.accuracy_below) is not None:
        ceiling = ProportionBound(bound=limit, direction="below", confidence=confidence)
        yield _accuracy(CEILING, ceiling, TEST_IMAGES, measured)
    if (limit := contract.worst_recall_above) is not None:
        bound = ProportionBound(bound=limit, confidence=confidence)
        yield _worst_recall(bound, measured, dataset.classes)
    for name, each in contract.perturbed.by_name.items() if contract.perturbed else ():
        bound = ProportionBound(bound=each.accuracy_above, confidence=confidence)
        yield _accuracy(each.clause_name, bound, name, measured)
    if (limit := contract.calibration_error_below) is not None:
        yield _calibration_error(limit, measured)
    if contract.baseline is not None:
        yield paired_test.evaluate(
            contract.baseline,
            measured.paired,
            confidence=confidence,
            reason=measured.no_predictions_reason,
        )
    if contract.bytes_below is not None:
        yield _below("file size", contract.bytes_below, model.bytes, unit="bytes", shown=" bytes")
    if (limit := contract.latency_below_ms) is not None:
        yield _latency(limit, measured)
    if contract.required_layers:
        kinds = tuple(layer.kind for layer in model.layers)
        yield _required_layers(contract.required_layers, kinds)


def _accuracy(name: str, bound: ProportionBound, images: str, measured: Measurements) -> Clause:
    metrics = measured.metrics.get(images)
    if metrics is None or not metrics.images:
        return bound.not_measured(name, measured.no_predictions_reason)
    return bound.evaluate(name, correct=metrics.correct, images=metrics.images)


def _parameters(limit: int, model: Inspection) -> Clause:
    clause = _below("parameters", limit, model.parameters, unit="parameters")
    if not model.other_numbers:
        return clause
    note = f"{model.other_numbers:,} of them are constants, or the second half of a float64"
    return replace(clause, note=note)


def _images(contract: Contract, input_shape: tuple[int, ...], dataset: DatasetInfo) -> str:
    """Say how the model gets images."""
    pixels = contract.pixels
    given = pixels if isinstance(pixels, str) else f"{pixels.mean:g} ± {pixels.std:g}"
    layout = image_input.layout(input_shape, dataset.image_shape)
    if layout and layout[:2] == dataset.image_shape[:2]:
        return f"pixels {given}"
    return f"pixels {given}; {PAST_TENSE[contract.fit]}"


def _other_classes(model: Inspection, dataset: DatasetInfo) -> str | None:
    """Say what a model that classifies into another number of classes may be."""
    match model.output_shapes:
        case ((None, int(classes)),) if classes != len(dataset.classes):
            count = f"{printable(dataset.title)} has {len(dataset.classes)} classes"
            return f"{count}; name the model's own data set with --dataset"
        case _:
            return None


def _better_pixels(clause: Clause, measured: Measurements) -> str | None:
    """Name the range of pixels with which a model that did not pass has a higher accuracy."""
    if clause.status == "passed" or clause.found_value is None:
        return None
    return better_pixels(clause.found_value, measured.other_pixels)


def better_pixels(accuracy: float, others: Mapping[str, Metrics]) -> str | None:
    """Name the range of pixels with which the accuracy is clearly higher than this one.

    `others` are the metrics of a sample of the test images, by the range of pixels.
    """
    if not others:
        return None
    name, found = max(others.items(), key=lambda item: item[1].accuracy)
    if found.accuracy < accuracy + CLEARLY_HIGHER:
        return None
    given = f'"{name}"' if name in image_input.CONVENTIONS else name
    return f"with pixels = {given} it reaches {found.accuracy:.1%} of {found.images:,} images"


def _worst_recall(bound: ProportionBound, measured: Measurements, classes: Sequence[str]) -> Clause:
    """Evaluate each class, and return the clause with the worst status, then the lowest recall.

    Classes differ in their number of images, and so in the width of their intervals.
    """
    name = WORST_RECALL
    metrics = measured.metrics.get(TEST_IMAGES)
    if metrics is None:
        return bound.not_measured(name, measured.no_predictions_reason)
    clauses = [
        bound.evaluate(name, correct=row[label], images=sum(row), note=f" (class {each})")
        if sum(row)
        else bound.not_measured(name, f"no image of class {each}")
        for label, (each, row) in enumerate(zip(classes, metrics.confusion, strict=True))
    ]
    return min(clauses, key=lambda each: (SEVERITY.index(each.status), each.found_value or 0))


def _calibration_error(limit: float, measured: Measurements) -> Clause:
    name, bound = "calibration error", f"< {limit:g}"
    metrics = measured.metrics.get(TEST_IMAGES)
    if metrics is None or metrics.calibration_error is None:
        return not_measured(name, bound, measured.no_predictions_reason, direction="below")
    error = metrics.calibration_error
    return _compare(name, bound, limit, f"{error:.4f}", error, "share")


def _latency(limit: float, measured: Measurements) -> Clause:
    name, bound = "latency", f"< {limit:g} ms"
    seconds = measured.inspection.latency
    if not seconds:
        return not_measured(name, bound, measured.no_predictions_reason, direction="below")
    milliseconds = 1000 * median(seconds)
    found = f"{milliseconds:.3g} ms (median of {len(seconds)})"
    return _compare(name, bound, limit, found, milliseconds, "ms")


def _below(name: str, limit: int, found: int, *, unit: str, shown: str = "") -> Clause:
    return _compare(name, f"< {limit:,}{shown}", limit, f"{found:,}{shown}", found, unit)


def _compare(
    name: str, bound: str, bound_value: float, found: str, found_value: float, unit: str
) -> Clause:
    return Clause(
        name=name,
        bound=bound,
        found=found,
        status="passed" if found_value < bound_value else "failed",
        bound_value=bound_value,
        found_value=found_value,
        unit=unit,
        direction="below",
    )


def _shape(name: str, bound: Shape, found: tuple[Shape, ...]) -> Clause:
    return Clause(
        name=name,
        bound=str(bound),
        found=" and ".join(str(shape) for shape in found) or "none",
        status="passed" if found == (bound,) else "failed",
    )


def _required_layers(required: tuple[str, ...], found: tuple[str, ...]) -> Clause:
    missing = [kind for kind in required if kind not in found]
    return Clause(
        name="required layers",
        bound=", ".join(required),
        found=f"missing: {', '.join(missing)}" if missing else "all present",
        status="failed" if missing else "passed",
    )
