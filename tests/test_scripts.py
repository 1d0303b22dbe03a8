"""``train_model.py`` and ``test_model.py``: the CLI's two main verbs as scripts."""

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
def test_a_script_is_the_command_of_the_same_job(tmp_path: Path, script: str, usage: str) -> None:
    done = run(script, tmp_path, "--help")
    assert done.returncode == 0
    assert usage in done.stdout


def test_a_script_passes_the_exit_code_on(tmp_path: Path) -> None:
    assert run("train_model.py", tmp_path, "--epochs", "0").returncode == 2
    assert run("test_model.py", tmp_path, "--offline").returncode == 4


@pytest.mark.parametrize("module", ["train_model", "test_model"])
def test_to_import_a_script_is_not_to_run_it(module: str) -> None:
    """So that pytest, pointed at the project's folder, runs nothing by its name."""
    done = subprocess.run(
        [sys.executable, "-c", f"import {module}"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == done.stderr == ""
