"""Each task is one command line of the CLI: arguments in, exact command line out."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
CLI = f"{shlex.quote(sys.executable)} -m mnist_tasks"


def invoke(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "invoke", "-r", str(PROJECT), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={"NO_COLOR": "1", "PATH": "/usr/bin:/bin", "COLUMNS": "100"},
    )


def echoed(output: str) -> list[str]:
    """Return the command lines that invoke echoes, without its bold face."""
    return [line.removeprefix("\x1b[1;37m").removesuffix("\x1b[0m") for line in output.splitlines()]


@pytest.mark.parametrize(
    ("arguments", "commands"),
    [
        (["fetch"], ["fetch"]),
        (["fetch", "--from", "my data"], ["fetch --from 'my data'"]),
        (["fetch", "--source", "npm", "--json"], ["fetch --source npm --json"]),
        (
            ["fetch", "--mirror", "http://x/", "--timeout", "5", "--data-dir", "d", "--offline"],
            ["fetch --mirror http://x/ --timeout 5 --data-dir d --offline"],
        ),
        (["train"], ["train"]),
        (["train", "--epochs", "3", "--seed", "7"], ["train --epochs 3 --seed 7"]),
        (["train", "--seed", "0"], ["train --seed 0"]),
        (
            ["train", "--recipe", "plain", "--batch-size", "32", "--learning-rate", "0.1"],
            ["train --recipe plain --batch-size 32 --learning-rate 0.1"],
        ),
        (
            ["train", "--device", "cpu", "--threads", "1", "--limit", "9", "--output", "m.keras"],
            ["train --device cpu --threads 1 --limit 9 --output m.keras"],
        ),
        (
            ["train", "--set", "max_shift=0", "--set", "ema_momentum=0"],
            ["train --set max_shift=0 --set ema_momentum=0"],
        ),
        (["check"], ["check"]),
        (["check", "--model", "a b.h5", "--json"], ["check 'a b.h5' --json"]),
        (["check", "--model", "a.h5", "--model", "b/", "--model", "-"], ["check a.h5 b/ -"]),
        (["check", "--runs", "r", "--offline"], ["check --runs r --offline"]),
        (["report"], ["report"]),
        (["report", "--runs", "r", "--json"], ["report --runs r --json"]),
        (["fetch", "train", "check", "report"], ["fetch", "train", "check", "report"]),
        (["train", "--seed", "1", "check"], ["train --seed 1", "check"]),
        ([], ["fetch", "train", "check", "report"]),
    ],
)
def test_a_task_is_one_command_line(arguments: list[str], commands: list[str]) -> None:
    done = invoke("--dry", *arguments)
    assert done.returncode == 0, done.stderr
    assert echoed(done.stdout) == [f"{CLI} {command}" for command in commands]


def test_the_list_names_each_task_and_what_it_does() -> None:
    listed = invoke("--list").stdout
    for name, what in {
        "fetch": "Fetch and verify the four files",
        "train": "Train a recipe",
        "check": "Check models against the contract",
        "report": "Summarize the latest run",
    }.items():
        assert f"  {name} " in listed
        assert what in listed
    assert "Default task: workflow" in listed


def test_invoke_exits_with_the_code_of_the_command(tmp_path: Path) -> None:
    done = invoke("report", "--runs", str(tmp_path))
    assert done.returncode == 3
    assert "mnist-tasks train" in done.stderr


def test_every_option_of_the_cli_passes_through() -> None:
    for task in ("fetch", "train", "check", "report"):
        help_of_cli = subprocess.run(
            [sys.executable, "-m", "mnist_tasks", task, "--help"],
            capture_output=True,
            text=True,
            check=True,
            env={"NO_COLOR": "1", "COLUMNS": "200"},
        ).stdout
        help_of_task = invoke("--help", task).stdout
        options = {word for word in help_of_cli.split() if word.startswith("--")} - {"--help"}
        missing = {option for option in options if f"{option}" not in help_of_task}
        assert not missing, f"invoke {task} lacks {missing}"
