"""The command line with a network of one's own, in real processes."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from mnist_tasks import run_store
from tests.json_output import error_of, result_of

Cli = Callable[..., subprocess.CompletedProcess[str]]
NET = """\
import keras
from helper import width

print("hello")

class Scale(keras.layers.Layer):
    def call(self, inputs):
        return inputs * 2.0

def build():
    model = keras.Sequential([keras.layers.Flatten(), Scale(), keras.layers.Dense(width)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss)
    return model

def broken():
    return keras.layers.Dense(3)

def usual():
    return keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(width)])
"""


@pytest.fixture(autouse=True)
def network(tmp_path: Path) -> None:
    (tmp_path / "nets").mkdir()
    (tmp_path / "nets" / "net.py").write_text(NET)
    (tmp_path / "nets" / "helper.py").write_text("width = 10\n")


@pytest.mark.slow
def test_a_network_goes_through_the_whole_workflow(small_cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "nets" / "keras").mkdir()  # doesn't hide the real one
    (tmp_path / "nets" / "keras" / "__init__.py").touch()
    trained = small_cli("train", "--network", "nets/net.py:usual", "--epochs", "3", "--json")
    assert trained.returncode == 0, trained.stderr
    lines = trained.stderr.splitlines()
    assert lines[0] == "Running your code: nets/net.py, function usual."
    assert "hello" in lines  # not on standard output
    record = result_of(trained)
    assert record["network_source"]["text"] == NET
    checked = small_cli("check", "--json")
    assert checked.returncode in (0, 1), checked.stderr
    (found,) = result_of(checked)["checks"]
    clauses = {each["name"]: each["status"] for each in found["check"]["verdict"]["clauses"]}
    assert {clauses[name] for name in ("input shape", "output shape", "parameters")} == {"passed"}
    assert small_cli("report").returncode == 0
    page = (tmp_path / "runs" / record["id"] / "report.html").read_text(encoding="utf-8")
    assert "class Scale(keras.layers.Layer)" in page
    # What the record says can be repeated, from the text that it keeps.
    (tmp_path / "nets" / "net.py").write_text(record["network_source"]["text"])
    words = record["command"].split()[2:]
    again = small_cli("train", *words, "--json")
    assert result_of(again)["model"]["sha256"] == record["model"]["sha256"]


@pytest.mark.slow
def test_a_sweep_trains_networks_in_its_workers(small_cli: Cli, tmp_path: Path) -> None:
    arguments = ("--network", "nets/net.py", "--network", "nets/net.py:broken", "--seeds", "0,1")
    options = ("--set", "learning_rate=0.01", "--limit", "300", "--workers", "1", "--json")
    swept = small_cli("sweep", *arguments, *options)
    assert swept.returncode == 3, swept.stderr
    assert "Running your code: nets/net.py, function broken." in swept.stderr
    result = result_of(swept)
    assert (result["runs"], result["done"]) == (4, 2)
    (ranked,) = result["ranking"]
    assert ranked["name"] == "net.py learning_rate=0.01"
    assert 0 < ranked["loss"] < 3
    assert {each["failure"]["reason"] for each in result["failed"]} == {"network-code-failed"}
    assert {each["failure"]["subject"] for each in result["failed"]} == {"nets/net.py:16"}
    records = run_store.read_all(tmp_path / result["folder"]).records
    assert all(re.fullmatch(r"net-[0-9a-f]{8}-[01]", each.id) for each in records)
    assert {each.network_source.text for each in records if each.network_source} == {NET}
    assert {each.recipe["learning_rate"] for each in records} == {0.01}


@pytest.mark.parametrize(
    ("option", "subject", "code"),
    [
        ("absent.py", "absent.py", 3),
        ("nets/syntax.py", "nets/syntax.py:1", 3),
        ("not a module", "--network", 2),
    ],
)
def test_what_is_wrong_with_a_file_is_said_at_once(
    cli: Cli, tmp_path: Path, option: str, subject: str, code: int
) -> None:
    (tmp_path / "nets" / "syntax.py").write_text("def (")
    for command in ("train", "sweep"):
        done = cli(command, "--network", option, "--offline", "--json")
        assert done.returncode == code
        assert error_of(done)["subject"] == subject


@pytest.mark.slow
def test_an_error_in_the_users_code_is_a_panel_with_her_line(small_cli: Cli) -> None:
    done = small_cli("train", "--network", "nets/net.py:broken")
    assert done.returncode == 3
    assert "nets/net.py:16" in done.stderr
    assert "Traceback" not in done.stderr
    assert "keras.src.layers.core.dense.Dense" in done.stderr


def test_no_other_command_runs_a_projects_code(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text("open('it-was-run', 'w')\n")
    (tmp_path / "pyproject.toml").write_text('[tool.mnist-tasks]\nnetwork = "net.py"\n')
    for command in (
        ["fetch", "--offline"],
        ["vet"],
        ["check", "--offline"],
        ["report"],
        ["runs"],
        ["train", "--help"],
    ):
        cli(*command)
    assert not (tmp_path / "it-was-run").exists()
