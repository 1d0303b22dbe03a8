"""Numbers in, verdict out: every clause, on its bound, beside it, and without a number."""

from dataclasses import replace
from typing import Any

import pytest

from mnist_tasks.checking.clauses import TEST, Facts, evaluate
from mnist_tasks.checking.contract import Baseline, Contract
from mnist_tasks.checking.paired_test import PairedCounts
from mnist_tasks.checking.robustness import Noise, Perturbed, Rotate, Shift
from mnist_tasks.records import Metrics
from mnist_tasks.verdict import Clause

NAN = float("nan")


def metrics(wrong: int = 100, images: int = 10_000, calibration: float | None = 0.01) -> Metrics:
    """Metrics with so many digits taken for the next one, as even over the digits as can be."""
    rows = []
    for digit in range(10):
        support = images // 10
        errors = wrong // 10 + (digit < wrong % 10)
        row = [0] * 10
        row[digit], row[(digit + 1) % 10] = support - errors, errors
        rows.append(tuple(row))
    return Metrics(confusion=tuple(rows), loss=0.1, calibration_error=calibration)


FACTS = Facts(
    parameters=20_000,
    bytes=200_000,
    layers=("Conv2D", "BatchNormalization", "Dense"),
    input_shapes=((None, 28, 28, 1),),
    output_shapes=((None, 10),),
    metrics={TEST: metrics()},
)


def clause(name: str, contract: Contract, facts: Facts) -> Clause:
    (found,) = [each for each in evaluate(contract, facts).clauses if each.name == name]
    return found


def test_the_default_contract_has_four_clauses() -> None:
    verdict = evaluate(Contract(), FACTS)
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
def test_parameters_must_be_fewer_than_the_bound(parameters: int, status: str) -> None:
    found = clause("parameters", Contract(), replace(FACTS, parameters=parameters))
    assert found.status == status
    assert (found.bound_value, found.found_value) == (25_000, parameters)
    assert (found.bound, found.found) == ("< 25,000", f"{parameters:,}")


@pytest.mark.parametrize(("wrong", "status"), [(499, "passed"), (500, "failed"), (501, "failed")])
def test_accuracy_must_be_above_the_bound(wrong: int, status: str) -> None:
    found = clause("test accuracy", Contract(), replace(FACTS, metrics={TEST: metrics(wrong)}))
    assert found.status == status
    assert found.errors is not None
    assert (found.errors.seen, found.errors.allowed, found.errors.images) == (wrong, 499, 10_000)
    assert found.interval is not None
    assert found.interval.low < 1 - wrong / 10_000 < found.interval.high
    assert found.interval.confidence == 0.99


@pytest.mark.parametrize(("wrong", "status"), [(0, "failed"), (10, "failed"), (11, "passed")])
def test_an_accuracy_on_the_ceiling_is_too_high(wrong: int, status: str) -> None:
    contract = Contract(accuracy_below=0.999)
    found = clause("accuracy ceiling", contract, replace(FACTS, metrics={TEST: metrics(wrong)}))
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
def test_there_is_one_input_of_the_very_shape(shapes: Any, status: str, words: str) -> None:
    found = clause("input shape", Contract(), replace(FACTS, input_shapes=shapes))
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
def test_there_is_one_output_of_the_very_shape(shapes: Any, status: str) -> None:
    assert clause("output shape", Contract(), replace(FACTS, output_shapes=shapes)).status == status


def test_another_input_shape_may_be_asked_for() -> None:
    facts = replace(FACTS, input_shapes=((None, 784),))
    assert clause("input shape", Contract(input_shape=(784,)), facts).status == "passed"
    assert clause("input shape", Contract(input_shape=(784,)), FACTS).status == "failed"


@pytest.mark.parametrize(("worst", "status"), [(29, "passed"), (30, "failed"), (31, "failed")])
def test_the_worst_digit_must_be_recalled_above_the_bound(worst: int, status: str) -> None:
    rows = [list(row) for row in metrics(0).confusion]
    rows[7][7], rows[7][1] = 1_000 - worst, worst
    rows[2][2], rows[2][1] = 990, 10
    found = clause(
        "worst recall",
        Contract(worst_recall_above=0.97),
        replace(FACTS, metrics={TEST: Metrics(confusion=tuple(map(tuple, rows)), loss=0)}),
    )
    assert found.status == status
    assert found.found.endswith("(digit 7)")
    assert found.errors is not None
    assert (found.errors.seen, found.errors.images, found.errors.allowed) == (worst, 1_000, 29)


def test_with_confidence_a_digit_with_few_images_may_be_the_one_in_doubt() -> None:
    rows = [list(row) for row in metrics(0, images=100_000).confusion]
    rows[3][3], rows[3][5] = 9_800, 200  # 98%, of 10,000
    rows[4] = [0] * 10
    rows[4][4], rows[4][9] = 99, 1  # 99%, of 100
    found = clause(
        "worst recall",
        Contract(worst_recall_above=0.97, confidence=0.99),
        replace(FACTS, metrics={TEST: Metrics(confusion=tuple(map(tuple, rows)), loss=0)}),
    )
    assert found.status == "inconclusive"
    assert "(digit 4)" in found.found


def test_a_digit_without_images_has_no_recall() -> None:
    rows = [list(row) for row in metrics(0).confusion]
    rows[4] = [0] * 10
    found = clause(
        "worst recall",
        Contract(worst_recall_above=0.5),
        replace(FACTS, metrics={TEST: Metrics(confusion=tuple(map(tuple, rows)), loss=0)}),
    )
    assert found.status == "not measured"
    assert found.reason == "there is no image of the digit 4"


@pytest.mark.parametrize(
    ("error", "status"),
    [(0.0, "passed"), (0.0199, "passed"), (0.02, "failed"), (0.5, "failed"), (NAN, "failed")],
)
def test_the_calibration_error_must_be_below_the_bound(error: float, status: str) -> None:
    facts = replace(FACTS, metrics={TEST: metrics(calibration=error)})
    found = clause("calibration error", Contract(calibration_error_below=0.02), facts)
    assert found.status == status


@pytest.mark.parametrize(("size", "status"), [(199_999, "passed"), (200_000, "failed")])
def test_the_file_must_be_smaller_than_the_bound(size: int, status: str) -> None:
    found = clause("file size", Contract(bytes_below=200_000), replace(FACTS, bytes=size))
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
def test_the_median_call_must_be_quicker_than_the_bound(
    seconds: tuple[float, ...], status: str
) -> None:
    found = clause("latency", Contract(latency_below_ms=5), replace(FACTS, latency=seconds))
    assert (found.status, found.unit) == (status, "ms")
    assert found.found.endswith(f"(median of {len(seconds)})")


@pytest.mark.parametrize(
    ("kinds", "status", "found"),
    [
        (("Dense",), "passed", "all there"),
        (("Dense", "BatchNormalization"), "passed", "all there"),
        (("Dense", "Dropout", "Add"), "failed", "without Dropout, Add"),
    ],
)
def test_every_required_kind_of_layer_must_be_there(
    kinds: tuple[str, ...], status: str, found: str
) -> None:
    judged = clause("required layers", Contract(required_layers=kinds), FACTS)
    assert (judged.status, judged.found) == (status, found)


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
ALL_FACTS = replace(
    FACTS,
    metrics={name: metrics() for name in (TEST, "shift", "rotate", "noise")},
    latency=(0.001,),
    paired=PairedCounts(images=10_000, correct=9_900, regressed=5, fixed=5),
)
MEASURED = {
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


def test_all_clauses_hold_where_all_is_well() -> None:
    verdict = evaluate(ALL, ALL_FACTS)
    assert verdict.passed
    names = [each.name for each in verdict.clauses]
    assert len(names) == len(set(names)) == 14
    assert set(names) > MEASURED


def test_what_cant_be_measured_is_told_apart_with_its_reason_and_hides_nothing() -> None:
    blind = replace(
        ALL_FACTS, metrics={}, latency=(), paired=None, unpredicted="it has 2 inputs", bytes=1
    )
    verdict = evaluate(ALL, blind)
    unmeasured = {each.name for each in verdict.clauses if each.status == "not measured"}
    assert unmeasured == MEASURED
    for each in verdict.clauses:
        if each.status == "not measured":
            assert each.found == "it has 2 inputs"
            assert each.reason == "it has 2 inputs"
            assert each.found_value is None
        else:
            assert each.status == "passed"
    assert not verdict.passed
    assert verdict.status == "failed"


def test_each_perturbation_is_judged_by_its_own_images() -> None:
    good, bad = metrics(0), metrics(5_000)
    for name, title in (("shift", "shifted"), ("rotate", "rotated"), ("noise", "noise")):
        facts = replace(ALL_FACTS, metrics={**dict.fromkeys(ALL_FACTS.metrics, good), name: bad})
        broken = [each.name for each in evaluate(ALL, facts).clauses if each.status == "failed"]
        assert len(broken) == 2  # the flawless test accuracy reaches the ceiling
        assert broken[0] == "accuracy ceiling"
        assert title in broken[1]


def test_each_perturbation_has_its_own_bound() -> None:
    for bound, status in ((0.98, "passed"), (0.995, "failed")):
        perturbed = Perturbed(noise=Noise(sigma=0.1, accuracy_above=bound))
        found = clause("accuracy with noise of 0.1", Contract(perturbed=perturbed), ALL_FACTS)
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
def test_a_verdict_is_as_good_as_its_worst_clause(statuses: Any, whole: str) -> None:
    verdict = evaluate(Contract(), FACTS)
    clauses = tuple(replace(verdict.clauses[0], status=each) for each in statuses)
    assert replace(verdict, clauses=clauses).status == whole
