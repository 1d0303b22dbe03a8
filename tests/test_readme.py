"""The README says what is so: its commands, its contract, its lists."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import typer

from mnist_tasks.checking import contract_file
from mnist_tasks.checking.contract import Baseline, Contract
from mnist_tasks.checking.robustness import Perturbed
from mnist_tasks.cli.app import app
from mnist_tasks.sweeping import plan, plan_file, search_space
from mnist_tasks.training.settings import parse_many
from mnist_tasks.vetting import allowlist

PROJECT = Path(__file__).parents[1]
README = (PROJECT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def test_the_two_commands_stand_at_the_top() -> None:
    assert blocks("sh") == [
        "python -m pip install -e . && invoke\n",
        "python -m pip install nox && nox\n",
    ]


def test_every_command_of_the_cli_that_is_named_is_there() -> None:
    there = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    named = set(re.findall(r"`mnist-tasks (\w+)", README))
    assert named == there


def test_every_session_that_is_named_is_there() -> None:
    listed = subprocess.run(
        [sys.executable, "-m", "nox", "--list"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    there = set(re.findall(r"^[*-] (\S+)", listed, re.MULTILINE))
    named = {name.strip('"') for name in re.findall(r"nox -s (\"[^\"]+\"|\w+)", README)}
    assert named == there


def test_the_example_of_a_contract_is_one(tmp_path: Path) -> None:
    example, _ = blocks("toml")
    (tmp_path / "contract.toml").write_text(example)
    contract = contract_file.load(tmp_path / "contract.toml").contract
    assert contract.confidence == 0.99
    assert contract.baseline is not None
    assert contract.baseline.tolerance_points == 0.2


def test_the_example_of_a_plan_is_one(tmp_path: Path) -> None:
    _, example = blocks("toml")
    (tmp_path / "plan.toml").write_text(example)
    found = plan_file.load(tmp_path / "plan.toml", plan.Plan())
    assert (len(found.settings), len(found.seeds), found.limit) == (7, 5, 20_000)


def test_the_sweep_that_is_shown_can_be_run() -> None:
    (line,) = re.findall(r"^mnist-tasks sweep (--.*)$", README, re.MULTILINE)
    options = line.split()
    pairs = list(zip(options[::2], options[1::2], strict=True))
    texts = tuple(value for option, value in pairs if option == "--set")
    found = plan.Plan(
        settings=search_space.every(["default"], parse_many(texts)),
        seeds=search_space.seeds(dict(pairs)["--seeds"]),
    )
    assert len(found.jobs(Path("sweeps"))) == 40


def test_every_key_of_the_contract_is_in_the_table() -> None:
    keys = {field.name for field in fields(Contract)} - {"perturbed", "baseline"}
    keys |= {f"perturbed.{field.name}" for field in fields(Perturbed)}
    keys |= {f"baseline.{field.name}" for field in fields(Baseline)}
    named = set(re.findall(r"`([a-z_]+(?:\.[a-z_]+)?)`", README))
    assert keys <= named


def test_the_layers_that_are_allowed_are_listed() -> None:
    listed = README[README.index("of these layers:") : README.index("## The sessions")]
    assert set(re.findall(r"\w+", listed)) >= allowlist.LAYERS | allowlist.ACTIVATION_LAYERS


def test_every_file_that_is_linked_is_there() -> None:
    linked = re.findall(r"\]\(([^)#:]+)\)|src=\s*\"([^\"]+)\"", README)
    names = [first or second for first, second in linked]
    assert len(names) >= 4
    assert [name for name in names if not (PROJECT / name).exists()] == []


def test_nothing_is_left_to_fill_in() -> None:
    for path in (PROJECT / "README.md", PROJECT / "benchmarks" / "README.md"):
        assert "@@" not in path.read_text(encoding="utf-8")
