"""Options that many commands share, and the variables that set them."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from typer import TyperException
from typer.main import get_command

from mnist_tasks import run_store
from mnist_tasks.cli import app, completion
from mnist_tasks.data import datasets
from mnist_tasks.errors import UsageError
from mnist_tasks.training import recipes
from tests import examples
from tests.json_output import error_of, result_of
from tests.vetting.crafted import handmade

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Cli = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("MNIST_TASKS_DATASET", "nosuch", "fetch"),
        ("MNIST_TASKS_DATASET", "nosuch", "check"),
        ("MNIST_TASKS_DEVICE", "tpu", "train"),
        ("MNIST_TASKS_MIRROR", "ftp://x/", "fetch"),
    ],
)
def test_an_error_names_the_variable_that_sets_the_option(
    cli: Cli, variable: str, value: str, words: str
) -> None:
    done = cli(*words.split(), "--json", env={variable: value})
    assert error_of(done)["subject"] == variable
    assert done.returncode == 2
    again = cli(*words.split(), "--json", "--offline", env={variable: ""})  # empty is unset
    assert variable not in again.stdout


def test_a_value_of_a_variable_that_is_none_is_wrong_usage(cli: Cli) -> None:
    done = cli("fetch", "--json", env={"MNIST_TASKS_OFFLINE": "perhaps"})
    assert done.returncode == 2
    assert "MNIST_TASKS_OFFLINE" in error_of(done)["found"]


def test_an_empty_word_is_wrong_usage_wherever_a_value_is_taken() -> None:
    commands: dict[str, Any] = get_command(app.app).commands  # type: ignore[attr-defined]
    commands |= {f"runs {name}": each for name, each in commands.pop("runs").commands.items()}
    for name, command in commands.items():
        for each in command.params:
            is_option = each.param_type_name == "option"
            if each.name == "network" or getattr(each, "is_flag", False):
                continue
            shown = each.opts[0] if is_option else each.metavar
            required = [other for other in command.params if other.required and other is not each]
            others = [
                word
                for other in required
                for word in ([other.opts[0], "1"] if other.opts[0].startswith("-") else ["x"])
            ]
            with pytest.raises((UsageError, TyperException)) as caught:
                command.make_context(name, [*others, *([shown] if is_option else []), ""])
            error: Any = caught.value  # of a number, it is typer's
            assert shown in (getattr(error, "subject", "") or error.format_message())


def test_an_empty_word_is_not_the_current_folder(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.keras").write_bytes(handmade.write_keras(handmade.small()))
    run_store.save(examples.run(0), tmp_path / "runs")
    for words in (["vet"], ["check", "a.keras"], ["predict"], ["runs", "show"], ["report"]):
        done = cli(*words, "", "--json")
        assert done.returncode == 2, words
        assert error_of(done)["found"].startswith("an empty one")
    assert not (tmp_path / "runs" / examples.run(0).id / "report.html").exists()


def test_an_option_wins_over_its_variable_and_that_over_the_project(
    cli: Cli, tmp_path: Path
) -> None:
    for number, folder in enumerate(("project", "variable", "option")):
        run_store.save(examples.run(number), tmp_path / folder)
    (tmp_path / "pyproject.toml").write_text('[tool.mnist-tasks]\nruns = "project"\n')
    variable = {"MNIST_TASKS_RUNS": "variable"}
    for number, (words, env) in enumerate(
        [((), {}), ((), variable), (("--runs", "option"), variable)]
    ):
        done = cli("runs", "show", "latest", *words, "--json", env=env)
        assert result_of(done)["id"] == examples.run(number).id


def test_a_variable_names_the_contract(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("accuracy = 1\n")
    env = {"MNIST_TASKS_CONTRACT": "mine.toml"}
    for command in ("check", "vet", "false-alarms x"):
        assert error_of(cli(*command.split(), "--json", env=env))["subject"].startswith("mine.toml")


def test_a_quiet_command_prints_only_what_is_wrong(small_cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.keras").write_bytes(handmade.write_keras(handmade.small()))
    for words in ("init new", "fetch", "vet a.keras", "report", "runs prune --keep 9"):
        if words == "report":
            run_store.save(examples.run(0, checked=examples.check()), tmp_path / "runs")
        done = small_cli(*words.split(), "--quiet")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "new" / "net.py").exists()
    assert (tmp_path / "runs" / examples.run(0).id / "report.html").exists()

    done = small_cli("vet", "a.keras", "nosuch.h5", env={"MNIST_TASKS_QUIET": "1"})
    assert done.returncode == 3
    assert "no such file" in done.stderr
    assert done.stdout.count("a.keras") == done.stdout.count("nosuch.h5") == 1  # the table
    assert "a.keras" not in done.stderr
    assert result_of(small_cli("fetch", "-q", "--json"))["files"]
    assert "Traceback" not in small_cli("train", "-q", "--epochs", "0").stderr


@pytest.mark.slow
def test_a_quiet_training_and_check(small_cli: Cli, tmp_path: Path) -> None:
    trained = small_cli("train", "-q", "--limit", "128", env={"FORCE_COLOR": "1"})
    assert (trained.returncode, trained.stdout, trained.stderr) == (0, "", "")
    (tmp_path / "low.toml").write_text("accuracy_above = 0.0\n")
    (tmp_path / "high.toml").write_text("accuracy_above = 0.9999\n")
    passed = small_cli("check", "-q", "--contract", "low.toml")
    assert (passed.returncode, passed.stdout, passed.stderr) == (0, "", "")
    failed = small_cli("check", "-q", "--contract", "high.toml")
    assert failed.returncode == 1
    assert "test accuracy" in failed.stdout
    assert failed.stderr == ""


def test_a_report_exits_with_1_if_asked_and_a_run_did_not_pass(cli: Cli, tmp_path: Path) -> None:
    checks = [examples.check(), examples.check(passed=False), None]
    passed, failed, unchecked = (examples.run(n, checked=each) for n, each in enumerate(checks))
    for run in (passed, failed, unchecked):
        run_store.save(run, tmp_path / "runs")
    for shown, code in (
        ([passed], 0),
        ([failed], 1),
        ([unchecked], 1),
        ([passed, failed], 1),
    ):
        words = ("report", *(run.id for run in shown), "--no-html")
        assert cli(*words, "--quiet").returncode == 0
        done = cli(*words, "--exit-code", "--json")
        assert done.returncode == code
        assert result_of(done)["tables"]["runs"]


def complete(words: str, folder: Path) -> list[str]:
    """Return what bash completes at the end of a command line."""
    count = len(words.split()) - (not words.endswith(" "))
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "mnist_tasks"],
        cwd=folder,
        env={
            **os.environ,
            "COMP_WORDS": words,
            "COMP_CWORD": str(count),
            "_MNIST_TASKS_COMPLETE": "complete_bash",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert not re.search(r"\| +(numpy|tensorflow|keras|h5py)$", done.stderr, re.MULTILINE)
    return done.stdout.split()


def test_a_shell_completes_names(tmp_path: Path) -> None:
    for number in range(2):
        run_store.save(examples.run(number), tmp_path / "mine")
    (tmp_path / "pyproject.toml").write_text(
        '[tool.mnist-tasks]\nruns = "mine"\n[tool.mnist-tasks.recipes.mine]\n'
        "[tool.mnist-tasks.datasets.parts]\n"
    )
    ids = [examples.run(number).id for number in (1, 0)]
    for words, expected in {
        "mnist-tasks f": ["fetch", "false-alarms"],
        "mnist-tasks train --recipe ": ["default", "plain", "accurate", "small", "tiny", "mine"],
        "mnist-tasks fetch --dataset p": ["parts"],
        "mnist-tasks train --device a": ["auto", "all"],
        "mnist-tasks doctor --device a": ["auto"],
        "mnist-tasks sweep --device ": ["cpu", "gpu"],
        "mnist-tasks report ": ["latest", *ids],
        "mnist-tasks runs show 2": ids,
        "mnist-tasks runs show --runs nosuch ": ["latest"],
    }.items():
        assert complete(words, tmp_path) == expected, words
    (tmp_path / "pyproject.toml").write_text("[tool.mnist-tasks]\nnosuch = 1\n")
    assert complete("mnist-tasks train --recipe d", tmp_path) == ["default"]


def test_names_are_completed_from_where_they_are_defined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(datasets.KNOWN, "new-data", datasets.FASHION_MNIST)
    monkeypatch.setitem(recipes.RECIPES, "new-recipe", recipes.PLAIN)
    assert completion.datasets("new") == ["new-data"]
    assert completion.recipes("new") == ["new-recipe"]


def test_the_script_of_the_completion_is_shown(tmp_path: Path) -> None:
    # It is for the shell that runs the command.
    command = f"{shlex.quote(sys.executable)} -m mnist_tasks --show-completion; true"
    done = subprocess.run(
        ["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "_MNIST_TASKS_COMPLETE=complete_bash" in done.stdout, done.stderr
