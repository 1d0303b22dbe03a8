"""Every clause: on its bound, on either side of it, and not measured."""

from dataclasses import replace
from typing import Any

import pytest

from mnist_tasks.check_records import Layer, Metrics
from mnist_tasks.checking.clauses import TEST_IMAGES, Measurements, evaluate
from mnist_tasks.checking.contract import Baseline, Contract, Noise, Perturbed, Rotate, Shift
from mnist_tasks.checking.paired_test import PairedCounts
from mnist_tasks.verdict import SEVERITY, Clause
from mnist_tasks.vetting.inspection import Inspection
from tests.examples import PARTS

NAN = float("nan")


def metrics(wrong: int = 100, images: int = 10_000, calibration: float | None = 0.01) -> Metrics:
    """Return metrics with `wrong` images predicted as the next digit, spread over all digits."""
    rows = []
    for digit in range(10):
        support = images // 10
        errors = wrong // 10 + (digit < wrong % 10)
        row = [0] * 10
        row[digit], row[(digit + 1) % 10] = support - errors, errors
        rows.append(tuple(row))
    return Metrics(confusion=tuple(rows), loss=0.1, calibration_error=calibration)


MODEL = Inspection(
    sha256="",
    bytes=200_000,
    format="h5",
    keras="Keras 3.15.1",
    layers=tuple(
        Layer(name="", kind=kind, output_shape=(), parameters=0)
        for kind in ("Conv2D", "BatchNormalization", "Dense")
    ),
    trainable_parameters=19_000,
    non_trainable_parameters=1_000,
    input_shapes=((None, 28, 28, 1),),
    output_shapes=((None, 10),),
)
MEASURED = Measurements(inspection=MODEL, metrics={TEST_IMAGES: metrics()})


def model(**changes: Any) -> Measurements:
    return replace(MEASURED, inspection=replace(MODEL, **changes))


def predictions(metrics: Metrics) -> Measurements:
    return replace(MEASURED, metrics={TEST_IMAGES: metrics})


def clause(name: str, contract: Contract, measured: Measurements) -> Clause:
    (found,) = [each for each in evaluate(contract, measured).clauses if each.name == name]
    return found


def test_the_default_contract_has_four_clauses() -> None:
    verdict = evaluate(Contract(), MEASURED)
    assert [each.name for each in verdict.clauses] == [
        "parameters",
        "input shape",
        "output shape",
        "test accuracy",
    ]
    assert verdict.passed


@pytest.mark.parametrize(
    ("parameters", "status"), [(24_999, "passed"), (25_000, "failed"), (25_001, "failed")]
)
def test_parameters_must_be_below_the_bound(parameters: int, status: str) -> None:
    found = clause("parameters", Contract(), model(trainable_parameters=parameters - 1_000))
    assert found.status == status
    assert (found.bound_value, found.found_value) == (25_000, parameters)
    assert (found.bound, found.found) == ("< 25,000", f"{parameters:,}")


@pytest.mark.parametrize(("wrong", "status"), [(499, "passed"), (500, "failed"), (501, "failed")])
def test_accuracy_must_be_above_the_bound(wrong: int, status: str) -> None:
    found = clause("test accuracy", Contract(), predictions(metrics(wrong)))
    assert found.status == status
    assert found.errors is not None
    assert (found.errors.seen, found.errors.allowed, found.errors.images) == (wrong, 499, 10_000)
    assert found.interval is not None
    assert found.interval.low < 1 - wrong / 10_000 < found.interval.high
    assert found.interval.confidence == 0.99


@pytest.mark.parametrize(("wrong", "status"), [(0, "failed"), (10, "failed"), (11, "passed")])
def test_an_accuracy_at_the_ceiling_is_too_high(wrong: int, status: str) -> None:
    contract = Contract(accuracy_below=0.999)
    found = clause("accuracy ceiling", contract, predictions(metrics(wrong)))
    assert found.status == status
    assert found.errors is not None
    assert (found.errors.required, found.errors.allowed) == (11, None)


@pytest.mark.parametrize(
    ("shapes", "status", "words"),
    [
        (((None, 28, 28, 1),), "passed", "(None, 28, 28, 1)"),
        (((None, 28, 28),), "failed", "(None, 28, 28)"),
        (((1, 28, 28, 1),), "failed", "(1, 28, 28, 1)"),
        (((None, None, None, 1),), "failed", "(None, None, None, 1)"),
        (((None, 28, 28, 1),) * 2, "failed", "(None, 28, 28, 1) and (None, 28, 28, 1)"),
        ((), "failed", "none"),
    ],
)
def test_the_one_input_must_have_the_exact_shape(shapes: Any, status: str, words: str) -> None:
    found = clause("input shape", Contract(), model(input_shapes=shapes))
    assert (found.status, found.found) == (status, words)


@pytest.mark.parametrize(
    ("shapes", "status"),
    [
        (((None, 10),), "passed"),
        (((None, 11),), "failed"),
        (((None, 1, 10),), "failed"),
        (((None, 10), (None, 10)), "failed"),
    ],
)
def test_the_one_output_must_have_the_exact_shape(shapes: Any, status: str) -> None:
    assert clause("output shape", Contract(), model(output_shapes=shapes)).status == status


def test_the_contract_may_set_another_input_shape() -> None:
    measured = model(input_shapes=((None, 784),))
    assert clause("input shape", Contract(input_shape=(784,)), measured).status == "passed"
    assert clause("input shape", Contract(input_shape=(784,)), MEASURED).status == "failed"


@pytest.mark.parametrize(("worst", "status"), [(29, "passed"), (30, "failed"), (31, "failed")])
def test_the_recall_of_the_worst_class_must_be_above_the_bound(worst: int, status: str) -> None:
    rows = [list(row) for row in metrics(0).confusion]
    rows[7][7], rows[7][1] = 1_000 - worst, worst
    rows[2][2], rows[2][1] = 990, 10
    found = clause(
        "worst recall",
        Contract(worst_recall_above=0.97),
        predictions(Metrics(confusion=tuple(map(tuple, rows)), loss=0)),
    )
    assert found.status == status
    assert found.found.endswith("(class 7)")
    assert found.errors is not None
    assert (found.errors.seen, found.errors.images, found.errors.allowed) == (worst, 1_000, 29)


def test_with_confidence_a_class_with_few_images_may_be_inconclusive() -> None:
    rows = [list(row) for row in metrics(0, images=100_000).confusion]
    rows[3][3], rows[3][5] = 9_800, 200  # 98%, of 10,000
    rows[4] = [0] * 10
    rows[4][4], rows[4][9] = 99, 1  # 99%, of 100
    found = clause(
        "worst recall",
        Contract(worst_recall_above=0.97, confidence=0.99),
        predictions(Metrics(confusion=tuple(map(tuple, rows)), loss=0)),
    )
    assert found.status == "inconclusive"
    assert "(class 4)" in found.found


def test_the_recall_of_a_class_without_images_is_not_measured() -> None:
    rows = [list(row) for row in metrics(0).confusion]
    rows[4] = [0] * 10
    found = clause(
        "worst recall",
        Contract(worst_recall_above=0.5),
        predictions(Metrics(confusion=tuple(map(tuple, rows)), loss=0)),
    )
    assert found.status == "not measured"
    assert found.reason == "no image of class 4"


@pytest.mark.parametrize(
    ("error", "status"),
    [(0.0, "passed"), (0.0199, "passed"), (0.02, "failed"), (0.5, "failed"), (NAN, "failed")],
)
def test_the_calibration_error_must_be_below_the_bound(error: float, status: str) -> None:
    measured = predictions(metrics(calibration=error))
    found = clause("calibration error", Contract(calibration_error_below=0.02), measured)
    assert found.status == status


@pytest.mark.parametrize(("size", "status"), [(199_999, "passed"), (200_000, "failed")])
def test_the_file_must_be_smaller_than_the_bound(size: int, status: str) -> None:
    found = clause("file size", Contract(bytes_below=200_000), model(bytes=size))
    assert (found.status, found.unit) == (status, "bytes")
    assert found.bound == "< 200,000 bytes"


@pytest.mark.parametrize(
    ("seconds", "status"),
    [
        ((0.001, 0.002, 0.9), "passed"),
        ((0.005, 0.005, 0.005), "failed"),
        ((0.001, 0.006, 0.006), "failed"),
        ((NAN,), "failed"),
    ],
)
def test_the_median_latency_must_be_below_the_bound(
    seconds: tuple[float, ...], status: str
) -> None:
    found = clause("latency", Contract(latency_below_ms=5), model(latency=seconds))
    assert (found.status, found.unit) == (status, "ms")
    assert found.found.endswith(f"(median of {len(seconds)})")


@pytest.mark.parametrize(
    ("kinds", "status", "found"),
    [
        (("Dense",), "passed", "all present"),
        (("Dense", "BatchNormalization"), "passed", "all present"),
        (("Dense", "Dropout", "Add"), "failed", "missing: Dropout, Add"),
    ],
)
def test_every_required_layer_must_be_present(
    kinds: tuple[str, ...], status: str, found: str
) -> None:
    result = clause("required layers", Contract(required_layers=kinds), MEASURED)
    assert (result.status, result.found) == (status, found)


ALL = Contract(
    accuracy_below=0.9999,
    worst_recall_above=0.9,
    calibration_error_below=0.02,
    bytes_below=300_000,
    latency_below_ms=5,
    required_layers=("Dense",),
    perturbed=Perturbed(
        shift=Shift(pixels=2, accuracy_above=0.9),
        rotate=Rotate(degrees=12.5, accuracy_above=0.9),
        noise=Noise(sigma=0.2, accuracy_above=0.9),
    ),
    baseline=Baseline(model="best.h5"),
)
ALL_MEASURED = Measurements(
    inspection=replace(MODEL, latency=(0.001,)),
    metrics={name: metrics() for name in (TEST_IMAGES, "shift", "rotate", "noise")},
    paired=PairedCounts(images=10_000, correct=9_900, regressed=5, fixed=5),
)
FROM_PREDICTIONS = {
    "test accuracy",
    "accuracy ceiling",
    "worst recall",
    "accuracy shifted by 2 px",
    "accuracy rotated by 12.5°",
    "accuracy with noise of 0.2",
    "calibration error",
    "baseline",
    "latency",
}


def test_all_clauses_pass_for_a_good_model() -> None:
    verdict = evaluate(ALL, ALL_MEASURED)
    assert verdict.passed
    names = [each.name for each in verdict.clauses]
    assert len(names) == len(set(names)) == 14
    assert set(names) > FROM_PREDICTIONS


def test_without_predictions_clauses_are_not_measured_and_the_others_still_evaluated() -> None:
    inspection = replace(MODEL, no_predictions_reason="it has 2 inputs", bytes=1)
    verdict = evaluate(ALL, Measurements(inspection=inspection, metrics={}))
    not_measured = {each.name for each in verdict.clauses if each.status == "not measured"}
    assert not_measured == FROM_PREDICTIONS
    for each in verdict.clauses:
        if each.status == "not measured":
            assert each.found == "it has 2 inputs"
            assert each.reason == "it has 2 inputs"
            assert each.found_value is None
        else:
            assert each.status == "passed"
    assert not verdict.passed
    assert verdict.status == "failed"


def test_each_perturbation_is_evaluated_on_its_own_images() -> None:
    good, bad = metrics(0), metrics(5_000)
    for name, title in (("shift", "shifted"), ("rotate", "rotated"), ("noise", "noise")):
        measured = replace(
            ALL_MEASURED, metrics={**dict.fromkeys(ALL_MEASURED.metrics, good), name: bad}
        )
        failed = [each.name for each in evaluate(ALL, measured).clauses if each.status == "failed"]
        assert len(failed) == 2  # the flawless test accuracy reaches the ceiling
        assert failed[0] == "accuracy ceiling"
        assert title in failed[1]


def test_each_perturbation_has_its_own_bound() -> None:
    for bound, status in ((0.98, "passed"), (0.995, "failed")):
        perturbed = Perturbed(noise=Noise(sigma=0.1, accuracy_above=bound))
        found = clause("accuracy with noise of 0.1", Contract(perturbed=perturbed), ALL_MEASURED)
        assert (found.status, found.bound_value) == (status, bound)


@pytest.mark.parametrize(
    ("statuses", "whole"),
    [
        (("passed", "passed"), "passed"),
        (("passed", "inconclusive"), "inconclusive"),
        (("inconclusive", "failed"), "failed"),
        (("inconclusive", "not measured"), "failed"),
        (("passed", "not measured"), "failed"),
        ((), "failed"),
    ],
)
def test_the_status_of_a_verdict_is_that_of_its_worst_clause(statuses: Any, whole: str) -> None:
    verdict = evaluate(Contract(), MEASURED)
    clauses = tuple(replace(verdict.clauses[0], status=each) for each in statuses)
    assert replace(verdict, clauses=clauses).status == whole


def test_every_clause_with_a_bound_to_compare_with_has_its_direction() -> None:
    directions = {each.name: each.direction for each in evaluate(ALL, ALL_MEASURED).clauses}
    below = {"parameters", "accuracy ceiling", "calibration error", "file size", "latency"}
    neither = {"input shape", "output shape", "baseline", "required layers"}
    for name, direction in directions.items():
        assert direction == ("below" if name in below else None if name in neither else "above")
    without = evaluate(ALL, Measurements(inspection=MODEL, metrics={})).clauses
    assert {each.name: each.direction for each in without} == directions


def test_every_status_has_its_place_by_severity() -> None:
    assert SEVERITY == ("failed", "not measured", "inconclusive", "passed")


def test_the_pixels_of_a_higher_accuracy_are_named() -> None:
    found = predictions(metrics(wrong=8_000))
    found = replace(
        found,
        other_pixels={
            "0-255": metrics(wrong=20, images=500),
            "-1-1": metrics(wrong=400, images=500),
        },
    )
    clause = evaluate(Contract(), found).clauses[3]
    assert clause.note == 'with pixels = "0-255" it reaches 96.0% of 500 images'


def test_pixels_are_not_named_without_need() -> None:
    other = {"0-255": metrics(wrong=20, images=500)}
    good = replace(predictions(metrics(wrong=100)), other_pixels=other)
    assert evaluate(Contract(), good).clauses[3].note is None
    close = replace(predictions(metrics(wrong=600)), other_pixels=other)
    assert evaluate(Contract(), close).clauses[3].note is None


def test_the_input_shape_says_how_images_are_given() -> None:
    def note(contract: Contract) -> str | None:
        return evaluate(contract, MEASURED).clauses[1].note

    assert note(Contract()) == "pixels 0-1"
    assert note(Contract(input_shape=(32, 32, 1), pixels="-1-1")) == "pixels -1-1; padded"


def test_other_numbers_count_as_parameters() -> None:
    clause = evaluate(Contract(), model(other_numbers=5_000)).clauses[0]
    assert (clause.status, clause.found) == ("failed", "25,000")
    assert clause.note == "5,000 of them are constants, or the second half of a float64"


def of_parts(**changes: Any) -> Measurements:
    """Return measurements of a model for `PARTS`, half of whose washers are taken for screws."""
    confusion = ((10, 0, 0, 0), (0, 10, 0, 0), (0, 0, 5, 5), (0, 0, 0, 0))
    shapes = {"input_shapes": ((None, 20, 24, 3),), "output_shapes": ((None, 4),)}
    measured = model(**(shapes | changes))
    return replace(measured, metrics={TEST_IMAGES: Metrics(confusion=confusion, loss=0.1)})


def test_the_shapes_are_those_of_the_data_set() -> None:
    _, given, output, _ = evaluate(Contract(), of_parts(), PARTS).clauses
    assert (given.bound, given.status, given.note) == ("(None, 20, 24, 3)", "passed", "pixels 0-1")
    assert (output.bound, output.status, output.note) == ("(None, 4)", "passed", None)
    contract = Contract(input_shape=(32, 32, 3), fit="resize")
    assert evaluate(contract, of_parts(), PARTS).clauses[1].note == "pixels 0-1; resized"
    assert evaluate(Contract(input_shape=(480,)), of_parts(), PARTS).clauses[1].note == "pixels 0-1"


def test_a_model_of_another_data_set_is_told_so() -> None:
    output = evaluate(Contract(), of_parts(output_shapes=((None, 10),)), PARTS).clauses[2]
    assert (output.status, output.found) == ("failed", "(None, 10)")
    assert output.note == "Parts has 4 classes; name the model's own data set with --dataset"
    several = of_parts(output_shapes=((None, 10), (None, 4)))
    assert evaluate(Contract(), several, PARTS).clauses[2].note is None


def test_recall_names_the_class() -> None:
    contract = Contract(worst_recall_above=0.4)
    found = evaluate(contract, of_parts(), PARTS).clauses[-1]
    assert (found.status, found.reason) == ("not measured", "no image of class screw")
    found = evaluate(Contract(worst_recall_above=0.6), of_parts(), PARTS).clauses[-1]
    assert found.found.endswith("(class washer)")
