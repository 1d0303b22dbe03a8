"""A new project: its files are written once, and its workflow runs at once."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from mnist_tasks import install, project, starter
from mnist_tasks.checking import contract_file
from mnist_tasks.checking.contract import Contract
from mnist_tasks.errors import EnvironmentProblemError, UsageError
from tests.conftest import SMALL_CLI, Run
from tests.json_output import result_of

PROJECT = Path(__file__).parents[1]


def files(folder: Path) -> set[str]:
    return {str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file()}


def test_the_starter_is_written_to_a_new_folder(tmp_path: Path) -> None:
    written = starter.create(tmp_path / "a" / "b")
    assert {str(each.relative_to(tmp_path / "a" / "b")) for each in written} == {
        *(".github/workflows/ci.yml", ".gitignore", "README.md"),
        *("net.py", "noxfile.py", "pyproject.toml", "tasks.py"),
    }
    assert files(tmp_path / "a" / "b") == set(starter.TEMPLATES)


def test_it_requires_the_package_that_is_installed(tmp_path: Path) -> None:
    starter.create(tmp_path)
    table = tomllib.loads((tmp_path / "pyproject.toml").read_text())
    assert table["project"]["dependencies"] == [install.requirement()]


def test_its_settings_are_valid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    starter.create(tmp_path)
    found = project.find(tmp_path)
    assert found is not None
    assert found.settings.network == "net.py"
    monkeypatch.chdir(tmp_path)
    loaded = contract_file.load()
    assert loaded == contract_file.LoadedContract(contract=Contract(), source="pyproject.toml")


def test_this_projects_tasks_are_those_of_the_starter(tmp_path: Path) -> None:
    starter.create(tmp_path)
    assert (tmp_path / "tasks.py").read_bytes() == (PROJECT / "tasks.py").read_bytes()


def test_a_folder_with_other_files_may_get_it(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    starter.create(tmp_path)
    assert files(tmp_path) == {"notes.txt", *starter.TEMPLATES}


def test_a_folder_that_cannot_get_all_files_gets_none(tmp_path: Path) -> None:
    (tmp_path / ".github").write_text("a file")
    with pytest.raises(EnvironmentProblemError):
        starter.create(tmp_path)
    assert files(tmp_path) == {".github"}


@pytest.mark.parametrize("name", [".gitignore", ".github/workflows/ci.yml"])
def test_nothing_is_overwritten(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to("elsewhere")  # which is not there
    with pytest.raises(UsageError) as caught:
        starter.create(tmp_path)
    assert caught.value.found == name
    assert [each for each in tmp_path.rglob("*") if not each.is_dir()] == [path]


@pytest.mark.parametrize("name", ["net.py", ".github/workflows/ci.yml"])
def test_what_a_killed_command_has_left_is_completed(name: str, tmp_path: Path) -> None:
    starter.create(tmp_path)
    content = (tmp_path / name).read_bytes()
    for each in set(starter.TEMPLATES) - {name}:
        (tmp_path / each).unlink()
    starter.create(tmp_path)
    assert files(tmp_path) == set(starter.TEMPLATES)
    assert (tmp_path / name).read_bytes() == content
    with pytest.raises(UsageError):
        starter.create(tmp_path)


def test_the_command_names_the_files(cli: Callable[..., Run], tmp_path: Path) -> None:
    done = cli("init", "--json")
    assert done.returncode == 0, done.stderr
    assert result_of(done)["files"] == list(starter.TEMPLATES)
    again = cli("init")
    assert again.returncode == 2
    assert all(name in again.stderr for name in ("README.md", "net.py", ".gitignore"))
    (tmp_path / "file").touch()
    assert cli("init", "file").returncode == 4


HER_NETWORK = """
import keras

def build(input_shape, classes):
    model = keras.Sequential([
        keras.Input(input_shape),
        keras.layers.AveragePooling2D(4),
        keras.layers.Flatten(),
        keras.layers.Dense(32, activation="relu"),
        keras.layers.Dense(classes),
    ])
    model.compile(
        keras.optimizers.Adam(0.01),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    return model
"""


@pytest.mark.slow
def test_a_newcomers_path(tmp_path: Path) -> None:
    folder = tmp_path / "digits"
    starter.create(folder)
    with (folder / "tasks.py").open("a") as file:
        cli = (sys.executable, str(SMALL_CLI), str(tmp_path / "data"))
        file.write(f"\nfrom mnist_tasks import tasks\ntasks.CLI = {cli}\n")
    (folder / "net.py").write_text(HER_NETWORK)
    set_to(folder, epochs="3", accuracy_above="0.3")

    done = run(tmp_path, "invoke")
    assert done.returncode == 0, done.stderr
    (record,) = [json.loads(each.read_text()) for each in folder.rglob("run.json")]
    assert record["network_source"]["path"] == "net.py"
    assert record["network_source"]["text"] == HER_NETWORK
    assert record["recipe"]["optimizer"] == "Adam"
    assert len(record["epochs"]) == 3
    assert record["check"]["contract"] == "pyproject.toml"
    (page,) = folder.rglob("report.html")
    again = run(tmp_path, "invoke", "train", "--if-needed")
    assert "Up to date: model_latest.h5" in again.stderr

    page.unlink()
    set_to(folder, epochs="1", accuracy_above="0.999")
    failed = run(tmp_path, "nox", "--no-venv", "--no-install", "--", "--junit", "verdict.xml")
    assert failed.returncode == 1
    assert (folder / "verdict.xml").exists()
    (page,) = folder.rglob("report.html")
    assert "failed" in page.read_text()


def set_to(folder: Path, **values: str) -> None:
    """Change values in the settings of a project."""
    settings = folder / "pyproject.toml"
    for name, value in values.items():
        settings.write_text(re.sub(rf"(?m)^{name} = .*", f"{name} = {value}", settings.read_text()))


def run(tmp_path: Path, program: str, *arguments: str) -> Run:
    return subprocess.run(
        [sys.executable, "-m", program, *arguments],
        cwd=tmp_path / "digits",
        env={
            **os.environ,
            "MNIST_TASKS_DATA": str(tmp_path / "data"),
            "PYTHONPATH": str(PROJECT),
        },
        capture_output=True,
        text=True,
        check=False,
    )
