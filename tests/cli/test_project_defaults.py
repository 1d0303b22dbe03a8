"""What a project's settings change in each command, seen from one of its subfolders."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from mnist_tasks.cli import project_defaults
from mnist_tasks.cli.app import app
from mnist_tasks.project import Project, Settings
from tests.conftest import Run
from tests.json_output import error_of

Cli = Callable[..., Run]
PROJECT = Project(
    folder=Path(".."),
    file=Path("../pyproject.toml"),
    settings=Settings(
        network="net.py:build",
        recipe="plain",
        epochs=3,
        dataset="parts",
        runs="out/runs",
        output="out/m.keras",
    ),
)
ALL = {
    "network": "../net.py:build",
    "recipe": "plain",
    "epochs": 3,
    "dataset": "parts",
    "runs": Path("../out/runs"),
    "output": Path("../out/m.keras"),
}


def parameters(project: Project, *arguments: str) -> dict[str, Any]:
    """Return what a command is called with."""
    command: Any = typer.main.get_command(app)
    context = command.make_context("mnist-tasks", list(arguments))
    context.default_map = project_defaults.default_map(project, command.commands)
    while hasattr(command, "commands"):
        name, command, rest = command.resolve_command(
            context, [*context._protected_args, *context.args]
        )
        context = command.make_context(name, rest, parent=context)
    found: dict[str, Any] = context.params
    return found


@pytest.mark.parametrize(
    ("arguments", "changed"),
    [
        (("train",), ALL),
        (
            ("sweep",),
            ALL | {"recipe": ["plain"], "network": ["../net.py:build"], "output": None},
        ),
        (("check",), ALL | {"models": [Path("../out/m.keras")]}),
        (("vet",), {"models": [Path("../out/m.keras")]}),
        (("predict", "x.png"), ALL | {"model": Path("../out/m.keras")}),
        (("export",), ALL | {"model": Path("../out/m.keras"), "output": None}),
        (("report",), ALL),
        # What it trains is the record's.
        (("reproduce",), {"network": None, "output": None, "runs": ALL["runs"]}),
        (("fetch",), ALL),
        (("doctor",), ALL),
        (("false-alarms", "x"), ALL),
        (("runs", "list"), {"recipe": None, "contract": None, "runs": ALL["runs"]}),
        (("runs",), {"runs": ALL["runs"]}),
        (("runs", "show", "latest"), {"runs": ALL["runs"]}),
        (("runs", "prune", "--keep", "1"), {"runs": ALL["runs"]}),
    ],
)
def test_every_command_uses_the_settings_that_it_has(
    arguments: tuple[str, ...], changed: dict[str, Any]
) -> None:
    found = parameters(PROJECT, *arguments)
    assert found == found | {name: value for name, value in changed.items() if name in found}


def test_only_what_trains_can_be_given_a_network() -> None:
    """No other command runs a project's code, whatever its settings say."""
    command: Any = typer.main.get_command(app)
    groups = [command, *(each for each in command.commands.values() if hasattr(each, "commands"))]
    takers = {
        name
        for group in groups
        for name, each in group.commands.items()
        if any(parameter.name == "network" for parameter in each.params)
    }
    assert takers <= {"train", "sweep", "reproduce"}


def test_options_win() -> None:
    options = ("--recipe", "default", "--epochs", "1", "--runs", "r", "-o", "m.h5")
    found = parameters(PROJECT, "train", *options)
    assert (found["recipe"], found["epochs"]) == ("default", 1)
    assert (found["runs"], found["output"]) == (Path("r"), Path("m.h5"))
    assert parameters(PROJECT, "check", "a.h5")["models"] == [Path("a.h5")]
    assert parameters(PROJECT, "sweep", "--recipe", "a")["recipe"] == ["a"]


def test_without_settings_nothing_changes() -> None:
    empty = Project(folder=Path(".."), file=Path("../pyproject.toml"), settings=Settings())
    found = parameters(empty, "train")
    assert (found["recipe"], found["epochs"], found["runs"]) == ("default", None, Path("runs"))
    assert found["output"] == Path("model_latest.h5")
    assert parameters(empty, "check")["models"] == ()


def test_the_records_are_where_the_model_is() -> None:
    settings = Settings(output="model.h5")
    project = Project(folder=Path(".."), file=Path("../pyproject.toml"), settings=settings)
    for command in (("train",), ("check",), ("runs", "list")):
        assert parameters(project, *command)["runs"] == Path("../runs")


@pytest.mark.parametrize(
    ("network", "found"),
    [
        ("net.py", "../net.py"),
        ("nets/net.py:build", "../nets/net.py:build"),
        ("nets/net", "../nets/net"),
        ("package.module:build", "package.module:build"),
    ],
)
def test_the_file_of_a_network_is_relative_to_the_project(network: str, found: str) -> None:
    project = Project(folder=Path(".."), file=Path(), settings=Settings(network=network))
    assert project_defaults.default_map(project, ["train"])["train"]["network"] == found


@pytest.fixture
def subfolder(tmp_path: Path) -> str:
    (tmp_path / "tests").mkdir()
    return "tests"


def test_an_invalid_setting_is_the_files_and_an_invalid_option_is_not(
    cli: Cli, tmp_path: Path, subfolder: str
) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text("[tool.mnist-tasks]\nrecipe = 'smal'\n")
    for command in ("train", "sweep"):
        done = cli(command, "--json", folder=subfolder)
        assert error_of(done)["subject"] == "../pyproject.toml: tool.mnist-tasks.recipe"
    done = cli("train", "--recipe", "x", "--json", folder=subfolder)
    assert error_of(done)["subject"] == "--recipe"
    file.write_text("[tool.mnist-tasks]\noutput = 'm.txt'\n")
    done = cli("train", "--json", folder=subfolder)
    assert error_of(done)["subject"] == "../pyproject.toml: tool.mnist-tasks.output"


def test_a_network_that_cant_be_found_is_the_files(
    cli: Cli, tmp_path: Path, subfolder: str
) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text("[tool.mnist-tasks]\nnetwork = 'nowhere.module:build'\n")
    done = cli("train", "--json", folder=subfolder)
    assert done.returncode == 3
    error = error_of(done)
    assert error["subject"] == "../pyproject.toml: tool.mnist-tasks.network"
    # An empty option is no network: the recipe's own is trained.
    done = cli("train", "--network", "", "--recipe", "x", "--json", folder=subfolder)
    assert error_of(done)["subject"] == "--recipe"
    done = cli("train", "--network", "", "--epochs", "0", "--json", folder=subfolder)
    assert error_of(done)["subject"] == "--epochs"


def test_an_unknown_key_stops_every_command_but_help(
    cli: Cli, tmp_path: Path, subfolder: str
) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.mnist-tasks]\nepoch = 3\n")
    error = error_of(cli("runs", "--json", folder=subfolder))
    assert error["subject"] == "../pyproject.toml: tool.mnist-tasks.epoch"
    assert error["remedy"] == "Write epochs."
    done = cli("train", "--help", folder=subfolder)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_plan_file_is_used_beside_the_recipe_of_the_project(
    cli: Cli, tmp_path: Path, subfolder: str
) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.mnist-tasks]\nrecipe = 'plain'\n")
    (tmp_path / "plan.toml").write_text("seeds = 'x'\n")
    done = cli("sweep", "../plan.toml", "--json", folder=subfolder)
    assert error_of(done)["subject"] == "../plan.toml: seeds"
    done = cli("sweep", "../plan.toml", "--recipe", "plain", "--json", folder=subfolder)
    assert error_of(done)["subject"] == "--recipe"
