"""Which folders are checked for false alarms: those of one complete sweep."""

from __future__ import annotations

import hashlib
import threading
import time
import types
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mnist_tasks import run_store
from mnist_tasks.checking import contract_file
from mnist_tasks.checking.proportions import ProportionBound
from mnist_tasks.data import datasets
from mnist_tasks.data.loading import DataConfig
from mnist_tasks.environment.machine import Memory
from mnist_tasks.errors import EnvironmentProblemError, InputRefusedError, UsageError
from mnist_tasks.reporting.terminal.progress import DownloadProgress
from mnist_tasks.sweeping import plan, stored_sweep, sweep_check
from mnist_tasks.sweeping.plan import Plan
from mnist_tasks.verdict import Clause, Verdict
from tests.sweeping import runs

if TYPE_CHECKING:
    from pathlib import Path

    from mnist_tasks.checking.checker import Checker
    from mnist_tasks.data.datasets import Dataset
    from mnist_tasks.records import RunRecord
    from mnist_tasks.sweeping.false_alarms import FalseAlarmReport


def estimate(
    folder: Path,
    rate: float = 0.1,
    *,
    data: Path | None = None,
    steps: list[int] | None = None,
    contract: Path | None = None,
    dataset: Dataset | None = None,
) -> FalseAlarmReport:
    return sweep_check.estimate(
        folder,
        contract_file.load(contract),
        DataConfig(folder=data or folder / "empty", offline=True),
        dataset=dataset,
        target_rate=rate,
        progress=lambda done, _: None if steps is None else steps.append(done),
        download=DownloadProgress(),
    )


def refusal(folder: Path) -> InputRefusedError:
    with pytest.raises(InputRefusedError) as caught:
        estimate(folder)
    return caught.value


def save(plan: Plan, folder: Path, *, has_digest: bool = True) -> list[Path]:
    records = [runs.record(job) for job in plan.jobs(folder)]
    if not has_digest:
        records = [_without_digest(each, plan) for each in records]
    return [run_store.save(each, folder) for each in records]


def _without_digest(record: RunRecord, plan: Plan) -> RunRecord:
    """Return a record as a version before the digest wrote it."""
    assert record.trial is not None
    return replace(
        record,
        limit=plan.limit,
        machine=replace(record.machine, threads=plan.threads),
        trial=replace(record.trial, digest=""),
    )


@pytest.mark.parametrize("has_digest", [True, False])
@pytest.mark.parametrize("other", [Plan(limit=600), Plan(threads=2)], ids=["limit", "threads"])
def test_runs_that_differ_in_more_than_their_seeds_are_refused(
    tmp_path: Path, other: Plan, has_digest: bool
) -> None:
    save(Plan(), tmp_path, has_digest=has_digest)
    save(other, tmp_path, has_digest=has_digest)
    error = refusal(tmp_path)
    assert error.found == "runs of default that differ in more than their seeds"
    assert "a new --output folder" in str(error.remedy)


def test_runs_evaluated_on_different_images_are_refused(tmp_path: Path) -> None:
    save(Plan(), tmp_path)
    save(Plan(evaluated_on="test"), tmp_path)
    assert "runs evaluated on test images" in refusal(tmp_path).found


def test_a_damaged_record_is_reported(tmp_path: Path) -> None:
    path = save(Plan(), tmp_path)[1]
    path.write_text("{")
    error = refusal(tmp_path)
    assert str(path) in error.found
    assert "Rerun the sweep" in str(error.remedy)


def test_the_error_for_a_file_has_a_remedy(tmp_path: Path) -> None:
    path = save(Plan(), tmp_path)[0]
    assert "mnist-tasks sweep" in str(refusal(path).remedy)


@pytest.mark.parametrize(
    ("content", "expected", "reruns"),
    [
        (runs.MODEL, "a Keras model", False),  # refused for what it is
        (b"another model", "the model that its run saved", True),
        (None, "the model that its run saved", True),
    ],
)
def test_a_rerun_is_the_remedy_only_if_it_would_make_another_file(
    tmp_path: Path, small_mnist: Path, content: bytes | None, expected: str, reruns: bool
) -> None:
    (record,) = save(Plan(seeds=(0,)), tmp_path / "swept")
    if content:
        (record.parent / plan.MODEL_NAME).write_bytes(content)
    with pytest.raises(InputRefusedError) as caught:
        estimate(tmp_path / "swept", data=small_mnist)
    assert expected in str(caught.value.expected)
    assert (caught.value.remedy == stored_sweep.RERUN) == reruns


@pytest.mark.parametrize(("name", "found"), [("", "none"), ("absent", "no such folder")])
def test_a_folder_that_is_absent_is_told_from_one_without_a_sweep(
    tmp_path: Path, name: str, found: str
) -> None:
    assert refusal(tmp_path / name).found == found


def test_old_records_without_a_digest_that_differ_in_their_seeds_are_one_setting(
    tmp_path: Path,
) -> None:
    save(Plan(), tmp_path, has_digest=False)
    # The folder itself is not refused; only then are the images loaded.
    with pytest.raises(EnvironmentProblemError, match="train-images"):
        estimate(tmp_path)


@pytest.mark.parametrize("rate", [0.0, -0.1, 0.5, 1.0, float("nan")])
def test_an_invalid_rate_is_refused(tmp_path: Path, rate: float) -> None:
    with pytest.raises(UsageError, match="--rate"):
        estimate(tmp_path, rate)


@pytest.mark.parametrize(("gib", "cores", "expected"), [(2, 8, 2), (100, 3, 3), (0.1, 8, 1)])
def test_memory_and_cores_limit_how_many_models_are_checked_at_once(
    tmp_path: Path,
    small_mnist: Path,
    monkeypatch: pytest.MonkeyPatch,
    gib: float,
    cores: int,
    expected: int,
) -> None:
    lock = threading.Lock()
    running: set[Path] = set()
    most = 0

    def check(_: object, path: Path) -> tuple[object, dict[str, object]]:
        nonlocal most
        with lock:
            running.add(path)
            most = max(most, len(running))
        time.sleep(0.1)
        with lock:
            running.remove(path)
        passed = Clause(name="a clause", bound="a bound", found="it", status="passed")
        model = types.SimpleNamespace(sha256=hashlib.sha256(runs.MODEL).hexdigest())
        return types.SimpleNamespace(model=model, verdict=Verdict(clauses=(passed,))), {}

    memory = Memory(total=None, available=int(gib * 1024**3), limit=None)
    monkeypatch.setattr("mnist_tasks.environment.machine.measure_memory", lambda: memory)
    monkeypatch.setattr("mnist_tasks.config.available_cores", lambda: cores)
    monkeypatch.setattr("mnist_tasks.checking.checker.Checker.check_all_sets", check)
    save(Plan(seeds=(0, 1, 2, 3)), tmp_path / "swept")
    steps: list[int] = []
    report = estimate(tmp_path / "swept", data=small_mnist, steps=steps)
    assert [(each.setting, each.runs) for each in report.settings] == [("default", 4)]
    assert report.missing_runs is None
    assert most == expected
    assert steps == [0, 1, 2, 3, 4]


def test_detected_drops_and_decided_clauses_are_reported(
    tmp_path: Path, small_mnist: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(gate: Checker, path: Path) -> tuple[object, dict[str, object]]:
        labels = gate.data.labels
        predicted = np.eye(10, dtype="float32")[labels]
        wrong = 3 + int(path.parent.name.split("-")[-1])
        predicted[:wrong] = predicted[:wrong, ::-1]
        bound = ProportionBound(bound=gate.contract.accuracy_above)
        found = bound.evaluate("test accuracy", correct=len(labels) - wrong, images=len(labels))
        model = types.SimpleNamespace(sha256=hashlib.sha256(runs.MODEL).hexdigest())
        made = types.SimpleNamespace(model=model, verdict=Verdict(clauses=(found,)))
        return made, {"test": predicted}

    monkeypatch.setattr("mnist_tasks.checking.checker.Checker.check_all_sets", check)
    contract = tmp_path / "contract.toml"
    contract.write_text("accuracy_above = 0.5\ncalibration_error_below = 1.0\n")
    save(Plan(seeds=(0, 1, 2, 3)), tmp_path / "swept")
    report = estimate(tmp_path / "swept", data=small_mnist, contract=contract)
    ours, suggested, whole = report.settings[0].detected
    assert (ours.bound_value, suggested.is_suggested, whole.name) == (0.5, True, "the contract")
    assert suggested.bound_value == report.settings[0].clauses[0].suggested
    assert whole.drop_50 == ours.drop_50 == pytest.approx(0.45, abs=0.03)
    assert [(each.name, each.outcome) for each in report.decided] == [
        ("calibration error", "passed")
    ]


def test_the_data_set_is_that_of_the_sweep(tmp_path: Path) -> None:
    save(Plan(seeds=(0, 1)), tmp_path)
    for path in tmp_path.glob("*/run.json"):
        record = run_store.read(path)
        run_store.save(replace(record, dataset=datasets.find("fashion-mnist").info), tmp_path)
    with pytest.raises(EnvironmentProblemError) as missing:
        estimate(tmp_path)
    assert "fashion-mnist" in str(missing.value.remedy)  # it looks for their files
    with pytest.raises(InputRefusedError, match="of fashion-mnist") as other:
        estimate(tmp_path, dataset=datasets.find("mnist"))
    assert "--dataset" in str(other.value.remedy)


def test_a_data_set_that_is_unknown_here_is_that_of_the_sweep(tmp_path: Path) -> None:
    """As one of a project's own is outside of its folder: the user named none."""
    for record in map(runs.record, Plan(seeds=(0, 1)).jobs(tmp_path)):
        info = replace(datasets.find("fashion-mnist").info, name="parts")
        run_store.save(replace(record, dataset=info), tmp_path)
    with pytest.raises(UsageError, match="parts") as caught:
        estimate(tmp_path)
    assert caught.value.subject == f"the data set of the sweep {tmp_path}"
