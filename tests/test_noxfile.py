"""The nox sessions, and what the GPU session does without a GPU."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import noxfile
from mnist_tasks import run_store
from mnist_tasks.checking.results import CheckResult, CheckResults
from mnist_tasks.records import Metrics
from tests import examples

PROJECT = Path(__file__).parents[1]


def nox(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "nox", "--non-interactive", *arguments],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NO_COLOR": "1", **env},
    )


def test_lint_and_tests_are_the_default_sessions() -> None:
    listed = nox("--list").stdout.splitlines()
    chosen = [line.split()[1] for line in listed if line.startswith("* ")]
    others = [line.split()[1] for line in listed if line.startswith("- ")]
    assert chosen == ["lint", "tests"]
    assert {"validate(cpu)", "validate(gpu)"} <= set(others)


@pytest.fixture
def without_gpu(tmp_path: Path) -> dict[str, str]:
    """Return variables with which nvidia-smi isn't found and nox uses another folder."""
    folders = [str(Path(sys.executable).parent), "/usr/bin", "/bin"]
    if any((Path(folder) / "nvidia-smi").exists() for folder in folders):
        pytest.skip("there is an nvidia-smi here")
    return {"PATH": os.pathsep.join(folders), "NOX_ENVDIR": str(tmp_path)}


def test_validate_gpu_skips_without_a_gpu(without_gpu: dict[str, str]) -> None:
    done = nox("-s", "validate(gpu)", **without_gpu, REQUIRE_GPU="")
    assert done.returncode == 0, done.stderr
    assert "no GPU: nvidia-smi is not installed" in done.stderr
    assert "skipped" in done.stderr
    assert "pip install" not in done.stderr


def test_validate_gpu_fails_if_a_gpu_is_required(without_gpu: dict[str, str]) -> None:
    done = nox("-s", "validate(gpu)", **without_gpu, REQUIRE_GPU="1")
    assert done.returncode == 1
    assert "no GPU" in done.stderr
    assert "REQUIRE_GPU=1" in done.stderr


def test_an_nvidia_smi_that_lists_no_gpu_is_reported(
    without_gpu: dict[str, str], tmp_path: Path
) -> None:
    fake = tmp_path / "bin" / "nvidia-smi"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\necho 'No devices were found'\n")
    fake.chmod(0o755)
    path = os.pathsep.join([str(fake.parent), without_gpu["PATH"]])
    done = nox("-s", "validate(gpu)", **{**without_gpu, "PATH": path})
    assert done.returncode == 0
    assert "nvidia-smi lists none" in done.stderr


def answer(name: str, *, wrong: int, exit_code: int = 0) -> dict[str, Any]:
    """Return the JSON of ``mnist-tasks check`` for a model with `wrong` errors in 10,000."""
    confusion = np.diag([1000] * 10)
    confusion[0, 0] -= wrong
    confusion[0, 1] += wrong
    metrics = Metrics(confusion=tuple(map(tuple, confusion.tolist())), loss=0.1)
    check = replace(examples.check(), metrics=metrics)
    outcome = CheckResult(path=name, status="passed", exit_code=exit_code, check=check)
    outcomes = CheckResults(exit_code=exit_code, contract=None, checks=(outcome,))
    document: dict[str, Any] = json.loads(run_store.to_json(outcomes))
    return document


@pytest.mark.parametrize(("gpu", "cpu"), [(85, 85), (85, 115), (115, 85), (400, 400)])
def test_similar_accuracies_are_parity(gpu: int, cpu: int) -> None:
    assert noxfile.disparity(answer("gpu.h5", wrong=gpu), answer("cpu.h5", wrong=cpu)) == ""


@pytest.mark.parametrize(("gpu", "cpu"), [(116, 85), (85, 116)])
def test_different_accuracies_are_not_parity(gpu: int, cpu: int) -> None:
    fault = noxfile.disparity(answer("gpu.h5", wrong=gpu), answer("cpu.h5", wrong=cpu))
    assert f"GPU {100 - gpu / 100:.2f}%, CPU {100 - cpu / 100:.2f}%" in fault
    assert "0.3 points" in fault


@pytest.mark.parametrize("codes", [(1, 0), (0, 1)])
def test_both_models_must_pass_the_contract(codes: tuple[int, int]) -> None:
    gpu, cpu = (answer("m.h5", wrong=85, exit_code=code) for code in codes)
    assert f"the {'GPU' if codes[0] else 'CPU'} did not pass" in noxfile.disparity(gpu, cpu)


class Session:
    """A session in which every command returns prepared JSON."""

    def __init__(self, **wrong: int) -> None:
        self.wrong = wrong
        self.commands: list[tuple[str, ...]] = []
        self.said: list[str] = []

    def run(self, *command: str, **_: object) -> str:
        self.commands.append(command)
        if command[1] == "train":
            return run_store.to_json(examples.run(0)).decode()
        name = command[2].removesuffix(".h5")
        return json.dumps(answer(command[2], wrong=self.wrong.get(name, 85)))

    def log(self, line: str) -> None:
        self.said.append(line)

    def error(self, fault: str) -> None:
        raise AssertionError(fault)


def test_each_training_is_checked_and_its_speed_is_logged() -> None:
    session: Any = Session()
    noxfile.compare_devices(session, {})
    assert [command[1:3] for command in session.commands if command[1] == "check"] == [
        ("check", "gpu.h5"),
        ("check", "cpu.h5"),
        ("check", "gpu-bfloat16.h5"),
    ]
    assert len(session.said) == 3
    assert all("images/s" in line and "s an epoch" in line for line in session.said)


def test_a_gpu_without_parity_fails_the_session() -> None:
    session: Any = Session(gpu=200)
    with pytest.raises(AssertionError, match="points apart"):
        noxfile.compare_devices(session, {})
