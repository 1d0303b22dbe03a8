"""The whole check with a fake sandbox: what it is called with, and the result of each file."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from mnist_tasks import json_text
from mnist_tasks.check_records import Layer
from mnist_tasks.checking.checker import LATENCY_RUNS, Checker
from mnist_tasks.checking.contract import Baseline, Contract, Noise, Perturbed, Shift
from mnist_tasks.checking.results import CheckResult, CheckResults, gather
from mnist_tasks.data.store import LabeledImages
from mnist_tasks.environment import machine
from mnist_tasks.errors import EnvironmentProblemError, InputRefusedError, UsageError
from mnist_tasks.vetting import sandbox
from mnist_tasks.vetting.inspection import Inspection
from mnist_tasks.vetting.limits import DEFAULT
from tests import generated
from tests.examples import PARTS

IMAGES, LABELS = generated.digits(60)
DIGITS = LabeledImages(images=IMAGES, labels=LABELS)
RIGHT = np.eye(10, dtype=np.float32)[LABELS]
FAILURES = {
    "unsafe.h5": InputRefusedError("unsafe.h5", found="a Lambda", expected="known layers"),
    "hangs.h5": EnvironmentProblemError("hangs.h5", found="not done after 15 s"),
}


class FakeSandbox:
    """Returns an inspection for any path, and records the calls."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.running: set[str] = set()
        self.most = 0  # calls at once

    def inspect(self, path: Path, **options: Any) -> Inspection:
        self.calls.append((path.name, options))
        self.running.add(path.name)
        self.most = max(self.most, len(self.running))
        time.sleep(0.05)
        self.running.remove(path.name)
        if path.name in FAILURES:
            raise FAILURES[path.name]
        blind = path.name == "blind.h5"
        sets = {} if blind else dict.fromkeys(options["image_sets"], RIGHT)
        return Inspection(
            sha256="ab" * 32,
            bytes=1_000,
            format="h5",
            keras="Keras 3.15.1",
            layers=(Layer(name="d", kind="Dense", output_shape=(None, 10), parameters=10),),
            trainable_parameters=8,
            non_trainable_parameters=2,
            input_shapes=((None, 28, 28, 1),) * (1 + blind),
            output_shapes=((None, 10),),
            probabilities=sets,
            no_predictions_reason="it has 2 inputs" if blind else None,
            latency=() if blind else (0.001,) * options.get("latency_runs", 0),
        )


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeSandbox:
    fake = FakeSandbox()
    monkeypatch.setattr(sandbox, "inspect", fake.inspect)
    return fake


def check(*names: str, **bounds: Any) -> list[CheckResult]:
    checker = Checker(contract=Contract(**bounds), data=DIGITS, source="contract.toml")
    return [result for result, _ in checker.check_each([Path(name) for name in names])]


def test_a_model_is_measured_and_evaluated(fake: FakeSandbox) -> None:
    checker = Checker(contract=Contract(), data=DIGITS, source="contract.toml")
    ((result, probabilities),) = checker.check_each([Path("a.h5")])
    found = result.check
    assert found is not None
    assert (result.status, result.exit_code) == ("passed", 0)
    assert (found.model.parameters, found.model.bytes) == (10, 1_000)
    assert found.metrics is not None
    assert found.metrics.accuracy == 1
    assert found.contract == "contract.toml"
    assert probabilities is RIGHT


def test_only_what_the_contract_needs_is_measured(fake: FakeSandbox) -> None:
    check("a.h5")
    ((_, options),) = fake.calls
    assert list(options["image_sets"]) == ["test"]
    assert options["image_sets"]["test"] is IMAGES
    assert options["latency_runs"] == 0
    assert options["limits"] == DEFAULT


def test_what_the_contract_needs_is_measured(fake: FakeSandbox) -> None:
    perturbed = Perturbed(
        shift=Shift(pixels=1, accuracy_above=0.5), noise=Noise(sigma=0.1, accuracy_above=0.5)
    )
    (result,) = check("a.h5", latency_below_ms=5, perturbed=perturbed)
    ((_, options),) = fake.calls
    assert list(options["image_sets"]) == ["test", "shift", "noise"]
    assert all(images.shape == (60, 28, 28) for images in options["image_sets"].values())
    assert options["latency_runs"] == LATENCY_RUNS == 200
    assert result.status == "passed"


@pytest.mark.parametrize(
    ("bounds", "file_bytes", "parameters"),
    [
        ({"bytes_below": 1_000, "parameters_below": 10}, DEFAULT.file_bytes, DEFAULT.parameters),
        ({"bytes_below": 50_000_000}, 50_000_000, DEFAULT.parameters),
        ({"parameters_below": 20_000_000}, DEFAULT.file_bytes, 20_000_000),
    ],
)
def test_a_contract_may_raise_the_limits_but_not_lower_them(
    fake: FakeSandbox, bounds: dict[str, int], file_bytes: int, parameters: int
) -> None:
    check("a.h5", **bounds)
    limits = fake.calls[0][1]["limits"]
    assert (limits.file_bytes, limits.parameters) == (file_bytes, parameters)


def test_every_file_has_its_result_even_after_an_error(fake: FakeSandbox) -> None:
    found = gather(check("unsafe.h5", "blind.h5", "hangs.h5", "a.h5"), None)
    assert [each.path for each in found.checks] == ["unsafe.h5", "blind.h5", "hangs.h5", "a.h5"]
    assert [each.status for each in found.checks] == ["error", "failed", "error", "passed"]
    assert [each.exit_code for each in found.checks] == [3, 1, 4, 0]
    assert found.exit_code == 4
    error = found.checks[0].error
    assert error is not None
    assert (error.title, error.found) == ("Input refused", "a Lambda")
    assert found.checks[0].check is None


def test_the_exit_code_is_that_of_the_worst_file(fake: FakeSandbox) -> None:
    for names, code in ((("a.h5",), 0), (("a.h5", "blind.h5"), 1), (("unsafe.h5", "a.h5"), 3)):
        assert gather(check(*names), None).exit_code == code


def test_an_inconclusive_verdict_exits_with_1(fake: FakeSandbox) -> None:
    (result,) = check("a.h5", confidence=0.99)  # 60 images cannot prove 95%
    assert (result.status, result.exit_code) == ("inconclusive", 1)


def test_a_baseline_runs_once_and_before_the_models(fake: FakeSandbox) -> None:
    results = check("a.h5", "b.h5", "blind.h5", baseline=Baseline(model="best.h5"))
    first, *others = [name for name, _ in fake.calls]
    assert (first, sorted(others)) == ("best.h5", ["a.h5", "b.h5", "blind.h5"])
    assert list(fake.calls[0][1]["image_sets"]) == ["test"]
    clauses = [each.check.verdict.clauses[-1] for each in results if each.check]
    assert [clause.name for clause in clauses] == ["baseline"] * 3
    assert [clause.status for clause in clauses] == ["passed", "passed", "not measured"]


def test_a_refused_baseline_is_the_result_of_every_file(fake: FakeSandbox) -> None:
    results = check("a.h5", "b.h5", baseline=Baseline(model="unsafe.h5"))
    assert [each.exit_code for each in results] == [3, 3]
    assert {each.error.subject for each in results if each.error} == {"the baseline unsafe.h5"}
    assert [name for name, _ in fake.calls] == ["unsafe.h5"]


@pytest.mark.parametrize(
    ("bounds", "expected"), [({}, 3), ({"latency_below_ms": 5.0}, 1)], ids=["usual", "latency"]
)
def test_models_run_at_once_unless_their_latency_is_measured(
    fake: FakeSandbox, monkeypatch: pytest.MonkeyPatch, bounds: dict[str, float], expected: int
) -> None:
    monkeypatch.setattr(machine, "max_processes", lambda: 3)
    names = [f"{number}.h5" for number in range(6)]
    found = check(*names, **bounds)
    assert [each.path for each in found] == names
    assert fake.most == expected


def test_the_results_survive_a_round_trip_through_json(fake: FakeSandbox) -> None:
    found = gather(check("a.h5", "unsafe.h5"), "contract.toml")
    document = json_text.to_json(found)
    assert b"NaN" not in document
    assert msgspec.json.decode(document, type=CheckResults) == found
    plain = msgspec.json.decode(document)
    assert list(plain) == ["contract", "checks", "problems"]
    fields = ["path", "status", "exit_code", "check", "error", "self_test"]
    assert list(plain["checks"][0]) == fields


def test_json_has_the_bytes_of_a_path_that_are_not_text(fake: FakeSandbox) -> None:
    name = b"a\xff.h5".decode("utf-8", "surrogateescape")
    document = json_text.to_json(gather(check(name), None))
    assert msgspec.json.decode(document)["checks"][0]["path"] == "a\\xff.h5"


def test_the_check_is_that_of_the_data_set(fake: FakeSandbox) -> None:
    images, labels = np.zeros((60, 20, 24, 3), np.uint8), LABELS % 4
    parts = LabeledImages(images=images, labels=labels, info=PARTS)
    perturbed = Perturbed(shift=Shift(pixels=1, accuracy_above=0))
    found, _ = Checker(contract=Contract(perturbed=perturbed), data=parts).check(Path("a.h5"))
    ((_, options),) = fake.calls
    assert (options["classes"], options["input_format"].shape) == (4, (20, 24, 3))
    assert options["image_sets"]["shift"].shape == (60, 20, 24, 3)
    assert found.dataset == PARTS
    assert msgspec.json.decode(json_text.to_json(found))["dataset"]["classes"] == [*PARTS.classes]


def test_a_contract_that_does_not_suit_the_images_is_refused_at_once(fake: FakeSandbox) -> None:
    with pytest.raises(UsageError) as caught:
        check("a.h5", input_shape=(20, 20))
    assert caught.value.subject == "contract.toml: fit"
    assert not fake.calls


def test_the_limits_rise_with_the_pixels(fake: FakeSandbox) -> None:
    info = replace(PARTS, image_shape=(56, 56, 3))
    large = LabeledImages(images=np.zeros((60, 56, 56, 3), np.uint8), labels=LABELS, info=info)
    limits = Checker(contract=Contract(), data=large).limits
    assert limits.image_operations == 4 * DEFAULT.image_operations
    assert limits.image_numbers == 4 * DEFAULT.image_numbers
    assert limits.cpu_seconds == 4 * DEFAULT.cpu_seconds
    assert limits.wall_seconds == 4 * DEFAULT.wall_seconds
    small = replace(large, info=PARTS)
    assert Checker(contract=Contract(), data=small).limits == DEFAULT
