"""``train_model.py`` and ``test_model.py``: the two main commands as scripts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]


def run(script: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(PROJECT / script), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NO_COLOR": "1", "MNIST_TASKS_DATA": str(folder / "data")},
    )


@pytest.mark.parametrize(
    ("script", "usage"), [("train_model.py", "--epochs"), ("test_model.py", "[MODEL]")]
)
def test_a_script_runs_its_command(tmp_path: Path, script: str, usage: str) -> None:
    done = run(script, tmp_path, "--help")
    assert done.returncode == 0
    assert usage in done.stdout


def test_a_script_exits_with_the_code_of_its_command(tmp_path: Path) -> None:
    assert run("train_model.py", tmp_path, "--epochs", "0").returncode == 2
    assert run("test_model.py", tmp_path, "--offline").returncode == 4


@pytest.mark.parametrize("module", ["train_model", "test_model"])
def test_importing_a_script_does_not_run_it(module: str) -> None:
    """Pytest, run on the project's folder, imports ``test_model.py`` for its name."""
    done = subprocess.run(
        [sys.executable, "-c", f"import {module}"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == done.stderr == ""
