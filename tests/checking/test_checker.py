"""The whole check, with a sandbox that is played: what is asked, and what becomes of each file."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from mnist_tasks import run_store
from mnist_tasks.checking import checker
from mnist_tasks.checking.contract import Baseline, Contract
from mnist_tasks.checking.contract_file import LoadedContract
from mnist_tasks.checking.results import CheckResults, gather
from mnist_tasks.checking.robustness import Noise, Perturbed, Shift
from mnist_tasks.data.store import LabeledImages
from mnist_tasks.errors import EnvironmentProblemError, InputRefusedError
from mnist_tasks.records import Layer
from mnist_tasks.vetting import sandbox
from mnist_tasks.vetting.inspection import Inspection
from mnist_tasks.vetting.limits import DEFAULT
from tests import generated

IMAGES, LABELS = generated.digits(60)
DIGITS = LabeledImages(images=IMAGES, labels=LABELS)
RIGHT = np.eye(10, dtype=np.float32)[LABELS]
FAILURES = {
    "unsafe.h5": InputRefusedError("unsafe.h5", found="a Lambda", expected="known layers"),
    "hangs.h5": EnvironmentProblemError("hangs.h5", found="not done after 15 s"),
}


class Sandbox:
    """Answers for any path; remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def inspect(self, path: Path, **options: Any) -> Inspection:
        self.asked.append((path.name, options))
        if path.name in FAILURES:
            raise FAILURES[path.name]
        blind = path.name == "blind.h5"
        sets = {} if blind else dict.fromkeys(options["image_sets"], RIGHT)
        return Inspection(
            sha256="ab" * 32,
            bytes=1_000,
            format="h5",
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
def played(monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    played = Sandbox()
    monkeypatch.setattr(sandbox, "inspect", played.inspect)
    return played


def check(*names: str, **bounds: Any) -> list[checker.Checked]:
    terms = LoadedContract(contract=Contract(**bounds), source="contract.toml")
    return list(checker.check_each([Path(name) for name in names], DIGITS, terms))


def test_a_model_is_measured_and_judged(played: Sandbox) -> None:
    (checked,) = check("a.h5")
    found = checked.outcome.check
    assert found is not None
    assert (checked.outcome.status, checked.outcome.exit_code) == ("passed", 0)
    assert (found.model.parameters, found.model.bytes) == (10, 1_000)
    assert found.metrics is not None
    assert found.metrics.accuracy == 1
    assert found.contract == "contract.toml"
    assert checked.probabilities is RIGHT


def test_nothing_is_asked_that_the_contract_does_not_need(played: Sandbox) -> None:
    check("a.h5")
    ((_, options),) = played.asked
    assert list(options["image_sets"]) == ["test"]
    assert options["image_sets"]["test"] is IMAGES
    assert options["latency_runs"] == 0
    assert options["limits"] == DEFAULT


def test_what_the_contract_needs_is_asked(played: Sandbox) -> None:
    perturbed = Perturbed(
        shift=Shift(pixels=1, accuracy_above=0.5), noise=Noise(sigma=0.1, accuracy_above=0.5)
    )
    (checked,) = check("a.h5", latency_below_ms=5, perturbed=perturbed)
    ((_, options),) = played.asked
    assert list(options["image_sets"]) == ["test", "shift", "noise"]
    assert all(images.shape == (60, 28, 28) for images in options["image_sets"].values())
    assert options["latency_runs"] == checker.LATENCY_RUNS == 200
    assert checked.outcome.status == "passed"


@pytest.mark.parametrize(
    ("bounds", "file_bytes", "parameters"),
    [
        ({"bytes_below": 1_000, "parameters_below": 10}, DEFAULT.file_bytes, DEFAULT.parameters),
        ({"bytes_below": 50_000_000}, 50_000_000, DEFAULT.parameters),
        ({"parameters_below": 20_000_000}, DEFAULT.file_bytes, 20_000_000),
    ],
)
def test_a_contract_may_widen_the_limits_and_never_narrow_them(
    played: Sandbox, bounds: dict[str, int], file_bytes: int, parameters: int
) -> None:
    check("a.h5", **bounds)
    limits = played.asked[0][1]["limits"]
    assert (limits.file_bytes, limits.parameters) == (file_bytes, parameters)


def test_every_file_has_its_outcome_whatever_became_of_the_one_before(played: Sandbox) -> None:
    found = gather(
        [each.outcome for each in check("unsafe.h5", "blind.h5", "hangs.h5", "a.h5")], None
    )
    assert [each.path for each in found.checks] == ["unsafe.h5", "blind.h5", "hangs.h5", "a.h5"]
    assert [each.status for each in found.checks] == ["error", "failed", "error", "passed"]
    assert [each.exit_code for each in found.checks] == [3, 1, 4, 0]
    assert found.exit_code == 4
    error = found.checks[0].error
    assert error is not None
    assert (error.title, error.found) == ("Input refused", "a Lambda")
    assert found.checks[0].check is None


def test_the_worst_exit_code_is_that_of_the_worst_file(played: Sandbox) -> None:
    for names, code in ((("a.h5",), 0), (("a.h5", "blind.h5"), 1), (("unsafe.h5", "a.h5"), 3)):
        assert gather([each.outcome for each in check(*names)], None).exit_code == code


def test_a_verdict_in_doubt_is_exit_1_and_told_apart(played: Sandbox) -> None:
    (checked,) = check("a.h5", confidence=0.99)  # 60 images prove no 95%
    assert (checked.outcome.status, checked.outcome.exit_code) == ("inconclusive", 1)


def test_a_baseline_is_asked_once_and_before_the_models(played: Sandbox) -> None:
    outcomes = check("a.h5", "b.h5", "blind.h5", baseline=Baseline(model="best.h5"))
    assert [name for name, _ in played.asked] == ["best.h5", "a.h5", "b.h5", "blind.h5"]
    assert list(played.asked[0][1]["image_sets"]) == ["test"]
    clauses = [each.outcome.check.verdict.clauses[-1] for each in outcomes if each.outcome.check]
    assert [clause.name for clause in clauses] == ["baseline"] * 3
    assert [clause.status for clause in clauses] == ["passed", "passed", "not measured"]


def test_a_baseline_that_is_refused_is_the_outcome_of_every_file(played: Sandbox) -> None:
    outcomes = [
        each.outcome for each in check("a.h5", "b.h5", baseline=Baseline(model="unsafe.h5"))
    ]
    assert [each.exit_code for each in outcomes] == [3, 3]
    assert {each.error.subject for each in outcomes if each.error} == {"the baseline unsafe.h5"}
    assert {name for name, _ in played.asked} == {"unsafe.h5"}


def test_the_document_is_json_and_reads_as_it_was_written(played: Sandbox) -> None:
    name = b"\xff.h5".decode("utf-8", "surrogateescape")
    found = gather([each.outcome for each in check("a.h5", "unsafe.h5", name)], "contract.toml")
    document = run_store.to_json(found)
    assert b"NaN" not in document
    assert msgspec.json.decode(document, type=CheckResults) == found
    plain = msgspec.json.decode(document)
    assert list(plain) == ["schema", "exit_code", "contract", "checks"]
    assert (plain["schema"], plain["exit_code"]) == (1, 3)
    assert list(plain["checks"][0]) == ["path", "status", "exit_code", "check", "error"]
    assert plain["checks"][2]["path"] == "\\xff.h5"
