"""The nox sessions, and what the GPU session does without a GPU."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from packaging.requirements import Requirement

import noxfile
from mnist_tasks import json_text
from mnist_tasks.check_records import Metrics
from mnist_tasks.checking.results import CheckResult, CheckResults
from mnist_tasks.cli import envelope
from tests import examples
from tests.conftest import SMALL_CLI
from tests.vetting.crafted import handmade

PROJECT = Path(__file__).parents[1]


def nox(
    *arguments: str, env: dict[str, str] | None = None, cwd: Path = PROJECT, envdir: Path
) -> subprocess.CompletedProcess[str]:
    """Run nox. Its environments go to a folder of the test, and leave the project's as they are."""
    return subprocess.run(
        [sys.executable, "-m", "nox", "--non-interactive", "--envdir", str(envdir), *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NO_COLOR": "1", **(env or {})},
    )


def test_lint_and_tests_are_the_default_sessions(tmp_path: Path) -> None:
    listed = nox("--list", envdir=tmp_path).stdout.splitlines()
    chosen = [line.split()[1] for line in listed if line.startswith("* ")]
    others = [line.split()[1] for line in listed if line.startswith("- ")]
    assert chosen == ["lint", "tests"]
    assert {"validate(cpu)", "validate(gpu)"} <= set(others)


@pytest.mark.parametrize(
    ("options", "selects"),
    [
        ("", False),
        ("-v --durations=10 --junitxml=tests.xml -p no:cacheprovider", False),
        ("-k report", True),
        ("-m slow", True),
        ("--ignore-glob=tests/*/test_c*", True),
        ("--lf", True),
        ("tests/test_disk.py", True),
        ("-v tests/test_disk.py::test_anything", True),
    ],
)
def test_the_floor_of_the_coverage_is_that_of_all_tests(
    options: str, monkeypatch: pytest.MonkeyPatch, *, selects: bool
) -> None:
    monkeypatch.chdir(PROJECT)
    assert noxfile.selects(options.split()) == selects


def test_the_lowest_version_of_each_dependency_is_tested() -> None:
    needed = {Requirement(line).name for line in noxfile.PROJECT["project"]["dependencies"]}
    assert noxfile.OF_DEPENDENCIES.keys() == needed
    for path in (path for paths in noxfile.OF_DEPENDENCIES.values() for path in paths):
        assert (PROJECT / path).exists(), path


@pytest.fixture
def without_gpu() -> dict[str, str]:
    """Return variables with which nvidia-smi isn't found."""
    folders = [str(Path(sys.executable).parent), "/usr/bin", "/bin"]
    if any((Path(folder) / "nvidia-smi").exists() for folder in folders):
        pytest.skip("there is an nvidia-smi here")
    return {"PATH": os.pathsep.join(folders)}


def test_validate_gpu_skips_without_a_gpu(without_gpu: dict[str, str], tmp_path: Path) -> None:
    done = nox("-s", "validate(gpu)", env={**without_gpu, "REQUIRE_GPU": ""}, envdir=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "no GPU: nvidia-smi is not installed" in done.stderr
    assert "skipped" in done.stderr
    assert "pip install" not in done.stderr


def test_validate_gpu_fails_if_a_gpu_is_required(
    without_gpu: dict[str, str], tmp_path: Path
) -> None:
    done = nox("-s", "validate(gpu)", env={**without_gpu, "REQUIRE_GPU": "1"}, envdir=tmp_path)
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
    done = nox("-s", "validate(gpu)", env={**without_gpu, "PATH": path}, envdir=tmp_path)
    assert done.returncode == 0
    assert "nvidia-smi lists none" in done.stderr


def answer(name: str, *, wrong: int, exit_code: int = 0) -> dict[str, Any]:
    """Return the result of ``mnist-tasks check`` for a model with `wrong` errors in 10,000."""
    confusion = np.diag([1000] * 10)
    confusion[0, 0] -= wrong
    confusion[0, 1] += wrong
    metrics = Metrics(confusion=tuple(map(tuple, confusion.tolist())), loss=0.1)
    check = replace(examples.check(), metrics=metrics)
    outcome = CheckResult(path=name, status="passed", exit_code=exit_code, check=check)
    outcomes = CheckResults(contract=None, checks=(outcome,))
    found: dict[str, Any] = json.loads(json_text.to_json(outcomes))
    return found


def parity(gpu: int, cpu: int) -> str:
    return noxfile.disparity(
        {"gpu": answer("gpu.h5", wrong=gpu), "cpu": answer("cpu.h5", wrong=cpu)}
    )


@pytest.mark.parametrize(("gpu", "cpu"), [(85, 85), (85, 115), (115, 85), (400, 400)])
def test_similar_accuracies_are_parity(gpu: int, cpu: int) -> None:
    assert parity(gpu, cpu) == ""


@pytest.mark.parametrize(("gpu", "cpu"), [(116, 85), (85, 116)])
def test_different_accuracies_are_not_parity(gpu: int, cpu: int) -> None:
    fault = parity(gpu, cpu)
    assert f"GPU {100 - gpu / 100:.2f}%, CPU {100 - cpu / 100:.2f}%" in fault
    assert "0.3 points" in fault


class Session:
    """A session in which every command returns prepared JSON."""

    def __init__(self, wrong: dict[str, int] | None = None, fails: str = "") -> None:
        self.wrong = wrong or {}
        self.fails = fails
        self.commands: list[tuple[str, ...]] = []
        self.said: list[str] = []

    def run(self, *command: str, success_codes: tuple[int, ...] = (0,), **_: object) -> str:
        self.commands.append(command)
        if command[1] != "check":
            return envelope.of_result(command[1], 0, examples.run(0))
        name = Path(command[2]).stem
        code = int(name == self.fails)
        assert code in success_codes
        checked = answer(command[2], wrong=self.wrong.get(name, 85), exit_code=code)
        return envelope.of_result("check", code, checked)

    def log(self, line: str) -> None:
        self.said.append(line)

    def error(self, fault: str) -> None:
        raise AssertionError(fault)


def compare(session: Any, *options: str) -> None:
    wanted = noxfile.gate_options([*options], Path("/here"))
    noxfile.compare_devices(session, {}, Path("/there"), wanted)


def test_each_training_is_checked_and_its_speed_is_logged() -> None:
    session = Session()
    compare(session, "--junit", "v.xml")
    names = [Path(words[2]).name for words in session.commands if words[1] == "check"]
    assert names == ["gpu.h5", "cpu.h5", "gpu-bfloat16.h5"]
    assert ["v.xml" in " ".join(words) for words in session.commands if words[1] == "check"] == [
        *(True, False, False)
    ]
    assert len(session.said) == 3
    assert all("images/s" in line and "s an epoch" in line for line in session.said)


def test_a_gpu_without_parity_is_reported_on_and_fails_the_session() -> None:
    session = Session(wrong={"gpu": 200})
    with pytest.raises(AssertionError, match="points apart"):
        compare(session)
    assert session.commands[-1][1] == "report"


@pytest.mark.parametrize("name", ["gpu", "cpu", "gpu-bfloat16"])
def test_every_model_must_pass_the_contract(name: str) -> None:
    session = Session(fails=name)
    with pytest.raises(AssertionError, match=f"the model {name} did not pass the contract"):
        compare(session)
    assert session.commands[-1][1] == "report"


@pytest.mark.parametrize(
    ("options", "task"),
    [
        ("", "--device cpu --output /tmp/model_latest.h5 --runs /tmp/runs"),
        (
            "../m.h5 --junit v.xml --markdown /v.md",
            "--model /here/../m.h5 --runs /tmp/runs --junit /here/v.xml --markdown /v.md",
        ),
    ],
)
def test_the_gate_is_one_task_with_paths_as_the_user_wrote_them(options: str, task: str) -> None:
    wanted = noxfile.gate_options(options.split(), Path("/here"))
    assert " ".join(noxfile.gate(wanted, Path("/tmp"))) == f"workflow {task}"  # noqa: S108


@pytest.mark.parametrize("options", [[""], ["--junit", ""], ["m.h5", "--markdown="]])
def test_an_empty_path_is_not_the_folder_of_the_project(options: list[str]) -> None:
    with pytest.raises(SystemExit):
        noxfile.gate_options(options, Path("/here"))


@pytest.mark.parametrize("option", ["--bogus", "--help", "--junit"])
def test_another_option_of_the_gate_fails_as_everything_does(option: str, tmp_path: Path) -> None:
    options = ("--no-venv", "--no-install", "-s", "validate(cpu)", "--", option)
    done = nox(*options, envdir=tmp_path)
    assert done.returncode == 1
    assert "--markdown FILE, and nothing else" in done.stderr


def test_a_model_that_the_gate_would_delete_is_refused(tmp_path: Path) -> None:
    for name in ("noxfile.py", "pyproject.toml"):
        shutil.copy(PROJECT / name, tmp_path)
    model = tmp_path / ".nox" / "validate-cpu" / "tmp" / "model_latest.h5"
    model.parent.mkdir(parents=True)
    model.touch()
    options = ("--no-venv", "--no-install", "-s", "validate(cpu)", "--", str(model))
    done = nox(*options, cwd=tmp_path, envdir=Path(".nox"))
    assert done.returncode == 1
    assert "copy it elsewhere" in done.stderr
    assert model.is_file()


@pytest.mark.slow
def test_validate_uses_the_contract_of_the_project(tmp_path: Path) -> None:
    for name in ("noxfile.py", "tasks.py", "pyproject.toml", "constraints.txt"):
        shutil.copy(PROJECT / name, tmp_path)
    with (tmp_path / "pyproject.toml").open("a") as file:
        file.write("[tool.mnist-tasks.contract]\nparameters_below = 7\naccuracy_above = 0.0\n")
    with (tmp_path / "tasks.py").open("a") as file:
        cli = (sys.executable, str(SMALL_CLI), str(tmp_path / "data"))
        file.write(f"\nfrom mnist_tasks import tasks\ntasks.CLI = {cli}\n")
    below = tmp_path / "below"
    below.mkdir()

    (below / "mine.h5").write_bytes(handmade.write_h5(handmade.small()))
    done = nox(
        *("--no-venv", "--no-install", "-f", str(tmp_path / "noxfile.py"), "-s", "validate(cpu)"),
        *("--", "mine.h5", "--junit", "verdict.xml", "--markdown", "verdict.md"),
        env={"PYTHONPATH": str(PROJECT), "MNIST_TASKS_DATA": "../data"},
        cwd=below,
        envdir=Path(".nox"),
    )
    assert done.returncode == 1, done.stderr
    assert re.search(r"page: .*\.html", done.stdout)
    assert "< 7" in (below / "verdict.md").read_text()
    assert "bound: &lt; 7" in (below / "verdict.xml").read_text()
