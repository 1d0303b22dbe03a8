"""No password or signature of an address reaches the output of a command."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Cli = Callable[..., subprocess.CompletedProcess[str]]
# At a port where nothing listens.
ADDRESS = "http://me:pa55@127.0.0.1:9/mnist.npz?signature=pa55"
TABLE = f"""
[tool.mnist-tasks.datasets.parts]
train = ["train", "train-labels"]
test = ["test", "test-labels"]
classes = ["good", "bad"]
mirrors = ["{ADDRESS}"]
"""


@pytest.mark.parametrize(
    "words",
    [
        ["fetch", "--mirror", "me:pa55@127.0.0.1/"],
        ["fetch", "--mirror", "http://me:pa/pa55@127.0.0.1:9/"],
        ["fetch", "--source", ADDRESS],
        ["fetch", "--from", ADDRESS],
        ["fetch", "--dataset", ADDRESS],
        ["fetch", "--dataset", "parts", "--lock"],
        ["fetch", "--timeout", ADDRESS],
        ["fetch", ADDRESS],
        ["fetch", ADDRESS, "--json"],
        [ADDRESS],
        ["vet", ADDRESS],
        ["doctor", "--mirror", "me:pa55@127.0.0.1/"],
    ],
)
def test_no_secret_is_shown(cli: Cli, tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "pyproject.toml").write_text(TABLE)
    done = cli(*words)
    assert done.returncode in {2, 3, 4}
    assert "pa55" not in done.stdout + done.stderr


def test_no_secret_of_a_variable_is_shown(cli: Cli) -> None:
    proxy = "http://me:pa55@nowhere.invalid:1"  # unlike a closed port, not tried again
    done = cli("fetch", "--json", env={"MNIST_TASKS_MIRROR": ADDRESS, "http_proxy": proxy})
    assert done.returncode == 4
    assert "nowhere.invalid" in done.stdout
    assert "pa55" not in done.stdout + done.stderr
