"""Bounds that no model could keep, or none could miss, are refused by their key."""

from typing import Any

import pytest

from mnist_tasks.checking.contract import Baseline, Contract
from mnist_tasks.checking.robustness import Noise, Perturbed, Rotate, Shift
from mnist_tasks.errors import UsageError

NAN, INFINITY = float("nan"), float("inf")


def test_the_default_is_the_mission() -> None:
    contract = Contract()
    assert (contract.parameters_below, contract.accuracy_above) == (25_000, 0.95)
    assert contract.input_shape == (28, 28, 1)
    asked = {key: value for key, value in vars(contract).items() if value not in (None, ())}
    assert set(asked) == {"parameters_below", "accuracy_above", "input_shape"}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("parameters_below", 0),
        ("parameters_below", -1),
        ("parameters_below", 25_000_001),
        ("input_shape", (28, 28, 3)),
        ("input_shape", ()),
        ("accuracy_above", 1.0),
        ("accuracy_above", 95.0),
        ("accuracy_above", -0.1),
        ("accuracy_above", NAN),
        ("accuracy_above", INFINITY),
        ("accuracy_below", 0.95),
        ("accuracy_below", 0.9),
        ("accuracy_below", 1.01),
        ("accuracy_below", NAN),
        ("worst_recall_above", 1.0),
        ("worst_recall_above", -0.1),
        ("calibration_error_below", 0.0),
        ("calibration_error_below", 1.1),
        ("calibration_error_below", NAN),
        ("bytes_below", 0),
        ("bytes_below", 100_000_001),
        ("latency_below_ms", 0.0),
        ("latency_below_ms", INFINITY),
        ("latency_below_ms", NAN),
        ("required_layers", ("Dens",)),
        ("required_layers", ("Dense", "Lambda")),
        ("confidence", 0.49),
        ("confidence", 1.0),
        ("confidence", 99.0),
        ("confidence", NAN),
    ],
)
def test_a_bound_that_cant_be_is_refused_by_its_key(key: str, value: Any) -> None:
    with pytest.raises(UsageError) as caught:
        Contract(**{key: value})
    assert caught.value.subject == key
    assert caught.value.expected


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("parameters_below", 1),
        ("input_shape", (784,)),
        ("accuracy_above", 0.0),
        ("accuracy_below", 1.0),
        ("worst_recall_above", 0.0),
        ("calibration_error_below", 1.0),
        ("bytes_below", 100_000_000),
        ("latency_below_ms", 0.001),
        ("required_layers", ("BatchNormalization", "Dropout")),
        ("confidence", 0.5),
        ("confidence", 0.999999),
    ],
)
def test_a_bound_on_the_edge_is_taken(key: str, value: Any) -> None:
    assert getattr(Contract(**{key: value}), key) == value


@pytest.mark.parametrize(
    ("make", "key"),
    [
        (lambda: Shift(pixels=0, accuracy_above=0.9), "perturbed.shift.pixels"),
        (lambda: Shift(pixels=5, accuracy_above=0.9), "perturbed.shift.pixels"),
        (lambda: Shift(pixels=1, accuracy_above=1.0), "perturbed.shift.accuracy_above"),
        (lambda: Rotate(degrees=0, accuracy_above=0.9), "perturbed.rotate.degrees"),
        (lambda: Rotate(degrees=46, accuracy_above=0.9), "perturbed.rotate.degrees"),
        (lambda: Rotate(degrees=9, accuracy_above=-1), "perturbed.rotate.accuracy_above"),
        (lambda: Noise(sigma=0, accuracy_above=0.9), "perturbed.noise.sigma"),
        (lambda: Noise(sigma=50, accuracy_above=0.9), "perturbed.noise.sigma"),
        (lambda: Noise(sigma=NAN, accuracy_above=0.9), "perturbed.noise.sigma"),
        (lambda: Noise(sigma=1, accuracy_above=NAN), "perturbed.noise.accuracy_above"),
        (Perturbed, "perturbed"),
        (Baseline, "baseline"),
        (lambda: Baseline(model="a", record="b"), "baseline"),
        (lambda: Baseline(model="a", tolerance_points=-0.1), "baseline.tolerance_points"),
        (lambda: Baseline(model="a", tolerance_points=100), "baseline.tolerance_points"),
        (lambda: Baseline(model="a", tolerance_points=NAN), "baseline.tolerance_points"),
    ],
)
def test_a_bound_in_a_table_is_refused_by_its_whole_key(make: Any, key: str) -> None:
    with pytest.raises(UsageError) as caught:
        make()
    assert caught.value.subject == key


def test_no_tolerance_is_a_tolerance() -> None:
    assert Baseline(record="runs/a").tolerance_points == 0
