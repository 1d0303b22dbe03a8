"""Invalid bounds are refused by their key, and the schema describes the valid ones."""

import json
from typing import Any

import pytest
from msgspec import structs

from mnist_tasks import dataset_info
from mnist_tasks.checking.contract import (
    Baseline,
    Contract,
    Noise,
    Perturbed,
    Rotate,
    Shift,
    Standardized,
)
from mnist_tasks.errors import UsageError
from tests.checking import contract_schema
from tests.examples import PARTS

NAN, INFINITY = float("nan"), float("inf")


def test_the_default_contract_is_that_of_the_project() -> None:
    contract = Contract()
    assert (contract.parameters_below, contract.accuracy_above) == (25_000, 0.95)
    assert contract.input_format(dataset_info.MNIST).shape == (28, 28, 1)
    values = structs.asdict(contract)
    given = {key for key in values if values[key] not in (None, ())}
    assert given == {"parameters_below", "accuracy_above", "pixels", "fit"}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("parameters_below", 0),
        ("parameters_below", -1),
        ("parameters_below", 25_000_001),
        ("input_shape", (28, 28, 2)),
        ("input_shape", (28, 28, 1, 1)),
        ("input_shape", (65, 65)),
        ("input_shape", (0, 28)),
        ("pixels", "0-2"),
        ("fit", "crop"),
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
def test_an_invalid_bound_is_refused_by_its_key(key: str, value: Any) -> None:
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
def test_a_bound_at_the_end_of_its_range_is_valid(key: str, value: Any) -> None:
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
def test_an_invalid_bound_in_a_table_is_refused_by_its_whole_key(make: Any, key: str) -> None:
    with pytest.raises(UsageError) as caught:
        make()
    assert caught.value.subject == key


def test_the_default_tolerance_is_zero() -> None:
    assert Baseline(record="runs/a").tolerance_points == 0


def test_the_schemas_in_the_package_are_current() -> None:
    remedy = "run `python -m tests.checking.contract_schema`"
    assert contract_schema.FILE.read_text(encoding="utf-8") == contract_schema.text(), remedy
    current = contract_schema.PROJECT_FILE.read_text(encoding="utf-8")
    assert current == contract_schema.project_text(), remedy


def test_the_schema_describes_every_key() -> None:
    schema = json.loads(contract_schema.text())
    tables = schema["$defs"]
    assert set(tables["Contract"]["properties"]) == set(Contract.__struct_fields__)
    for table in tables.values():
        assert table["description"]
        assert table["additionalProperties"] is False
        for field in table["properties"].values():
            assert field.keys() & {"$ref", "type", "enum", "anyOf"}
            assert "$ref" in field or field["description"]
    assert tables["Contract"]["properties"]["accuracy_above"] == {
        "description": "Accuracy on the test images, in [0, 1).",
        "type": "number",
        "minimum": 0,
        "exclusiveMaximum": 1,
        "default": 0.95,
    }


def test_a_smaller_input_must_be_resized() -> None:
    with pytest.raises(UsageError) as caught:
        Contract(input_shape=(14, 14)).input_format(dataset_info.MNIST)
    assert caught.value.subject == "fit"
    resized = Contract(input_shape=(14, 14), fit="resize")
    assert resized.input_format(dataset_info.MNIST).fit == "resize"


def test_the_input_is_that_of_the_data_set() -> None:
    assert Contract().input_format(PARTS).shape == (20, 24, 3)
    for shape in ((480,), (1440,), (20, 24), (24, 24, 1)):
        assert Contract(input_shape=shape).input_format(PARTS).shape == shape
    for shape, key in (((783,), "input_shape"), ((65 * 65,), "input_shape"), ((20, 23), "fit")):
        with pytest.raises(UsageError) as caught:
            Contract(input_shape=shape).input_format(PARTS)
        assert caught.value.subject == key


@pytest.mark.parametrize("std", [0, -1, 1.5, NAN])
def test_an_invalid_standard_deviation_is_refused(std: float) -> None:
    with pytest.raises(UsageError) as caught:
        Standardized(mean=0.1307, std=std)
    assert caught.value.subject == "pixels.std"


def test_pixels_become_the_values_of_their_range() -> None:
    black_to_white: dict[Any, tuple[float, float]] = {
        "0-1": (0, 1),
        "0-255": (0, 255),
        "-1-1": (-1, 1),
        Standardized(mean=0.1307, std=0.3081): (-0.4242, 2.8215),
    }
    for pixels, expected in black_to_white.items():
        given = Contract(pixels=pixels).input_format(dataset_info.MNIST).pixels
        found = [value / given.divisor - given.offset for value in (0, 255)]
        assert found == pytest.approx(expected, abs=1e-4)
