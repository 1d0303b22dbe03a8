"""The gate's self-test: each bad model fails the clause that is meant for it, and no other.

A model that cannot take the images is the exception: its clauses on predictions are ``not
measured``, and its shape is the reason.
"""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mnist_tasks.checking import contract_file
from mnist_tasks.checking.checker import Checker
from mnist_tasks.checking.results import of_check
from tests.checking import gate_models
from tests.fork_server import ForkServer
from tests.vetting import forked

if TYPE_CHECKING:
    from mnist_tasks.check_records import Check
    from mnist_tasks.checking.results import CheckResult

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
CONTRACT = """
accuracy_above = 0.9
accuracy_below = 0.98
bytes_below = 1_000_000
required_layers = ["BatchNormalization", "Dropout"]
"""
BLIND = {"test accuracy": "not measured", "accuracy ceiling": "not measured"}
EXPECTED: dict[str, dict[str, str]] = {
    "good.h5": {},
    "good.keras": {},
    "untrained.h5": {"test accuracy": "failed"},
    "shuffled.h5": {"test accuracy": "failed"},
    "oversized.h5": {"parameters": "failed"},
    "no_channel.h5": {"input shape": "failed"},
    "wrong_input.h5": {"input shape": "failed", **BLIND},
    "wrong_output.h5": {"output shape": "failed", **BLIND},
    "two_inputs.h5": {"input shape": "failed", **BLIND},
    "leaked.h5": {"accuracy ceiling": "failed"},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, fork_server: ForkServer) -> Path:
    """The models and their contract."""
    folder = tmp_path_factory.mktemp("gate")
    program = ["-m", "tests.checking.gate_models", str(folder)]
    done = fork_server.run(program, cwd=ROOT, env=os.environ)
    assert done.returncode == 0, done.stderr
    (folder / "contract.toml").write_text(CONTRACT)
    return folder


@pytest.fixture(scope="module")
def results(folder: Path) -> dict[str, CheckResult]:
    """The result of each model."""
    paths = [folder / name for name in EXPECTED]
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        checked = pool.submit(check_forking, paths, folder / "contract.toml").result()
    return {Path(each.path).name: each for each in checked}


def check_forking(paths: list[Path], contract: Path) -> list[CheckResult]:
    """Check in this process, whose vetting processes start without importing TensorFlow again."""
    forked.prepare(contract.parent)
    forked.import_keras()
    checker = checker_of(contract)
    return [of_check(checker.check(path)[0]) for path in paths]


def check(paths: list[Path], contract: Path) -> list[CheckResult]:
    return [result for result, _ in checker_of(contract).check_each(paths)]


def checker_of(contract: Path) -> Checker:
    loaded = contract_file.load(contract)
    return Checker(contract=loaded.contract, data=gate_models.test_digits())


def check_of(result: CheckResult) -> Check:
    assert result.check is not None, result.error
    return result.check


@pytest.mark.parametrize("name", EXPECTED)
def test_a_model_fails_its_clause_and_no_other(results: dict[str, CheckResult], name: str) -> None:
    clauses = check_of(results[name]).verdict.clauses
    failed = {clause.name: clause.status for clause in clauses if clause.status != "passed"}
    assert failed == EXPECTED[name], [(clause.name, clause.found) for clause in clauses]
    assert results[name].exit_code == int(bool(EXPECTED[name]))
    assert len(clauses) == 7


def test_the_reason_why_a_model_is_not_measured_is_its_shape(
    results: dict[str, CheckResult],
) -> None:
    reasons = {
        name: {clause.reason for clause in check_of(result).verdict.clauses} - {None}
        for name, result in results.items()
    }
    assert reasons["wrong_input.h5"] == {
        "it takes images of 32 x 32 pixels: set input_shape and fit in the contract"
    }
    assert reasons["wrong_output.h5"] == {"its output has the shape (None, 11), not (None, 10)"}
    assert reasons["two_inputs.h5"] == {"it has 2 inputs and 1 outputs instead of one each"}


def test_a_model_trained_on_the_test_set_predicts_its_wrong_labels(
    results: dict[str, CheckResult],
) -> None:
    honest, leaked = (check_of(results[name]).metrics for name in ("good.h5", "leaked.h5"))
    assert honest is not None
    assert leaked is not None
    wrong_labels = 500 // gate_models.MISLABELED
    assert honest.images - honest.correct >= wrong_labels
    assert leaked.images - leaked.correct < wrong_labels / 2


def test_every_possible_clause_is_measured_on_a_real_model(folder: Path) -> None:
    path = folder / "all.toml"
    path.write_text(
        CONTRACT
        + """
        worst_recall_above = 0.5
        calibration_error_below = 0.2
        latency_below_ms = 1000
        perturbed.shift = { pixels = 1, accuracy_above = 0.5 }
        perturbed.rotate = { degrees = 5, accuracy_above = 0.5 }
        perturbed.noise = { sigma = 0.05, accuracy_above = 0.5 }
        baseline = { model = "good.keras", tolerance_points = 1 }
        """
    )
    names = ("good.h5", "untrained.h5")
    good, untrained = check([folder / name for name in names], path)
    statuses = {clause.name: clause for clause in check_of(good).verdict.clauses}
    assert len(statuses) == 14
    assert {clause.status for clause in statuses.values()} == {"passed"}
    assert all(clause.found_value is not None for clause in statuses.values() if clause.unit)
    untrained_clauses = check_of(untrained).verdict.clauses
    failed = {clause.name for clause in untrained_clauses if clause.status == "failed"}
    assert {"test accuracy", "baseline", "worst recall", "accuracy shifted by 1 px"} <= failed
    assert not failed & {"latency", "file size", "required layers", "parameters"}
