"""``--json``: one document on standard output, in one envelope, however a command ends."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from mnist_tasks import run_store
from mnist_tasks.cli import start
from mnist_tasks.cli.app import app
from tests import commands, examples, json_output
from tests.cli import output_schema
from tests.conftest import restore_ctrl_c
from tests.json_output import error_of, result_of
from tests.vetting.crafted import handmade

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Cli = Callable[..., subprocess.CompletedProcess[str]]

# Run the command line with another `starter.create`, which `init` calls.
WITH_ANOTHER_START = """
import os, sys
from mnist_tasks import starter
from mnist_tasks.cli import start
def create(folder):
    {}
starter.create = create
start.main(["init", "x", "--json"])
"""


def test_the_schema_is_current_and_has_every_command() -> None:
    assert output_schema.FILE.read_text(encoding="utf-8") == output_schema.text()
    assert set(output_schema.RESULTS) == set(commands.names(app))
    jsonschema.Draft202012Validator.check_schema(json.loads(output_schema.text()))


@pytest.mark.parametrize("broken", [{"result": 1}, {"error": {}}, {"exit_code": "0"}, {}])
def test_the_schema_refuses_another_document(broken: dict[str, Any]) -> None:
    head = {"schema": 1, "command": "init", "exit_code": 0}
    sound = head | {"result": {"folder": ".", "files": []}}
    json_output.of(json.dumps(sound))
    with pytest.raises(jsonschema.ValidationError):
        json_output.of(json.dumps(head | broken))


def test_the_document_of_each_command_is_in_the_envelope(small_cli: Cli, tmp_path: Path) -> None:
    for number in range(3):
        run_store.save(examples.run(number, checked=examples.check()), tmp_path / "runs")
    (tmp_path / "a.keras").write_bytes(handmade.write_keras(handmade.small()))
    for words in (
        "init new",
        "fetch",
        "vet a.keras nosuch.h5",
        "check nosuch.h5",
        "report",
        f"report latest {examples.run(0).id} --no-html",
        "runs --recipe default",
        "runs list",
        "runs show latest",
        "runs prune --keep 1 --yes",
    ):
        done = small_cli(*words.split(), "--json")
        document = json_output.of(done.stdout)
        name = " ".join(words.split()[: 1 + words.startswith("runs")])
        assert document["command"] == name.replace("--recipe", "list")
        result_of(done)


@pytest.mark.parametrize(
    ("words", "command", "exit_code", "subject"),
    [
        ("", None, 2, "mnist-tasks"),
        ("bake", None, 2, "mnist-tasks"),
        ("calibrate x", None, 2, "calibrate"),
        ("--nosuch train", None, 2, "mnist-tasks"),
        ("train --epochs many", "train", 2, "mnist-tasks train"),
        ("train --nosuch", "train", 2, "mnist-tasks train"),
        ("train --epochs 0", "train", 2, "--epochs"),
        ("runs nosuch", "runs", 2, "mnist-tasks runs"),
        ("runs prune", "runs prune", 2, "mnist-tasks runs prune"),
        ("runs show nosuch", "runs show", 3, "nosuch"),
        ("report nosuch", "report", 3, "nosuch"),
        ("fetch --offline --from nosuch", "fetch", 3, "nosuch"),
        ("sweep nosuch", "sweep", 3, "nosuch"),
        ("reproduce nosuch", "reproduce", 3, "nosuch"),
        ("sweep --seeds x", "sweep", 2, "--seeds"),
        ("false-alarms nosuch", "false-alarms", 3, "nosuch"),
        ("doctor --device tpu", "doctor", 2, "--device"),
        ("check --contract nosuch", "check", 3, "nosuch"),
        ("vet --contract nosuch", "vet", 3, "nosuch"),
    ],
)
def test_an_error_is_in_the_envelope(
    cli: Cli, words: str, command: str | None, exit_code: int, subject: str
) -> None:
    done = cli(*words.split(), "--json")
    assert (done.returncode, done.stderr) == (exit_code, "")
    assert json_output.of(done.stdout)["command"] == command
    assert error_of(done)["subject"] == subject


def test_an_invalid_project_is_an_error_of_the_command(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.mnist-tasks]\nepochs = 0\n")
    done = cli("runs", "show", "x", "--json")
    assert (done.returncode, json_output.of(done.stdout)["command"]) == (2, "runs")
    assert error_of(done)["reason"] == "wrong-usage"


def run_with(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", WITH_ANOTHER_START.format(code)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_bug_is_in_the_envelope(tmp_path: Path) -> None:
    done = run_with("raise ZeroDivisionError('a \\x1b slip')", tmp_path)
    assert done.returncode == 70
    error = error_of(done)
    assert (error["reason"], error["found"]) == ("internal-error", "ZeroDivisionError: a ? slip")
    assert "issues" in error["remedy"]
    assert "Traceback" in done.stderr


def test_the_traceback_of_a_bug_is_safe_to_show(tmp_path: Path) -> None:
    login = "user:password@"
    done = run_with(f"raise ZeroDivisionError('http://{login}host/a \\x1b[2J\\nnext')", tmp_path)
    assert done.returncode == 70
    assert "\nZeroDivisionError: http://***@host/a ?[2J\nnext\n" in done.stderr
    assert login not in done.stderr
    assert "\x1b" not in done.stderr


def test_nothing_else_is_on_standard_output(tmp_path: Path) -> None:
    """Neither what Python code prints, nor what a process does that it starts."""
    done = run_with("print('one'); os.system('echo two'); return ()", tmp_path)
    assert result_of(done) == {"folder": "x", "files": []}
    assert sorted(done.stderr.split()) == ["one", "two"]


@pytest.mark.parametrize(
    ("number", "returncode", "exit_code", "reason"),
    [
        (signal.SIGINT, 130, 130, "interrupted"),
        (signal.SIGTERM, 143, 143, "terminated"),
    ],
)
def test_a_signal_is_in_the_envelope(
    tmp_path: Path, number: int, returncode: int, exit_code: int, reason: str
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "mnist_tasks", "vet", "-", "--json"],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=restore_ctrl_c,
    )
    assert process.stdin
    assert process.stdout
    with process:
        process.stdin.write(b"a\n" * 200_000)  # more than a pipe holds: it reads the list
        time.sleep(1)  # a signal between two reads is handled after the second
        process.send_signal(number)
        document = json_output.of(process.stdout.read().decode())
    assert process.returncode == returncode
    assert (document["command"], document["exit_code"]) == ("vet", exit_code)
    assert document["error"]["reason"] == reason


def test_no_answer_to_a_question_is_not_a_failed_contract(tmp_path: Path) -> None:
    run_store.save(examples.run(0), tmp_path / "runs")
    terminal, other = pty.openpty()
    os.write(terminal, b"\x04")  # Ctrl-D, the end of the input
    done = subprocess.run(
        [sys.executable, "-m", "mnist_tasks", "runs", "prune", "--keep", "0"],
        cwd=tmp_path,
        stdin=other,
        capture_output=True,
        text=True,
        check=False,
    )
    os.close(other)
    os.close(terminal)
    assert done.returncode == 130
    assert "Interrupted." in done.stderr
    assert len(run_store.read_all(tmp_path / "runs").records) == 1


@pytest.mark.parametrize("words", ["train --help", "runs list -h"])
def test_help_is_a_text(cli: Cli, words: str) -> None:
    done = cli(*words.split(), "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert "mnist-tasks" in done.stdout


def test_a_file_can_have_the_name_of_the_option(cli: Cli) -> None:
    done = cli("vet", "--", "--json")
    assert (done.returncode, done.stdout) == (3, "")
    assert "no such file" in done.stderr


def test_a_document_is_utf8_or_ascii(cli: Cli) -> None:
    for encoding in ("utf-8", "latin-1", "ascii"):
        done = cli("vet", "é😀.h5", "--json", env={"PYTHONIOENCODING": encoding})
        assert done.stdout.isascii() == (encoding != "utf-8")
        assert result_of(done)["models"][0]["path"] == "é😀.h5"


def test_json_is_also_printed_where_standard_output_is_no_file(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        start.main(["vet", "nosuch", "--json"])
    out, err = capsys.readouterr()
    assert (ended.value.code, json_output.of(out)["exit_code"], err) == (3, 3, "")
