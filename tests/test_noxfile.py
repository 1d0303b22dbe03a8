"""The sessions: what they are, and what the GPU one does where there is no GPU."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

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
    """An environment in which no nvidia-smi can be found, and nox builds elsewhere."""
    folders = [str(Path(sys.executable).parent), "/usr/bin", "/bin"]
    if any((Path(folder) / "nvidia-smi").exists() for folder in folders):
        pytest.skip("there is an nvidia-smi here")
    return {"PATH": os.pathsep.join(folders), "NOX_ENVDIR": str(tmp_path)}


def test_validate_gpu_skips_where_there_is_no_gpu(without_gpu: dict[str, str]) -> None:
    done = nox("-s", "validate(gpu)", **without_gpu, REQUIRE_GPU="")
    assert done.returncode == 0, done.stderr
    assert "no GPU here: nvidia-smi is not installed" in done.stderr
    assert "skipped" in done.stderr
    assert "pip install" not in done.stderr


def test_validate_gpu_fails_where_a_gpu_is_required(without_gpu: dict[str, str]) -> None:
    done = nox("-s", "validate(gpu)", **without_gpu, REQUIRE_GPU="1")
    assert done.returncode == 1
    assert "no GPU here" in done.stderr
    assert "REQUIRE_GPU=1" in done.stderr


def test_an_nvidia_smi_without_a_gpu_is_told_apart(
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
