"""Closed, full and abandoned standard streams change no exit code but for lost results."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mnist_tasks.cli import start, streams
from tests.conftest import SMALL_CLI

if TYPE_CHECKING:
    from collections.abc import Callable

    Cli = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks, and needs /dev/full")
# Commands with their exit codes, and whether they have results.
COMMANDS = {
    "runs --json": (0, True),
    "--help": (0, True),
    "nosuch": (2, False),
    "runs prune": (2, False),
    "vet none": (3, False),
}
CLOSED = [("closed", "".join(each)) for n in range(1, 4) for each in combinations("012", n)]
OTHERS = [("full", "1"), ("full", "2"), ("full", "12"), ("abandoned", "1"), ("abandoned", "2")]
# Runs each command with streams of each kind: what they share is imported once.
ALL = """
import json, os, sys
from contextlib import redirect_stderr, redirect_stdout, suppress
from mnist_tasks.cli import start
cases = json.loads(sys.argv[1])
with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
    for command in {case[-1] for case in cases}:
        with suppress(SystemExit):
            start.main(command.split())
def change(kind, number):
    if kind == "closed":
        return os.close(number)
    if kind == "full":
        opened = os.open("/dev/full", os.O_WRONLY)
    else:
        read, opened = os.pipe()
        os.close(read)
    os.dup2(opened, number)
codes = {}
for kind, numbers, command in cases:
    child = os.fork()
    if not child:
        for number in (1, 2):
            os.dup2(os.open(os.devnull, os.O_WRONLY), number)
        for number in map(int, numbers):
            change(kind, number)
        start.main(command.split())
    codes[f"{kind} {numbers}: {command}"] = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
print(json.dumps(codes))
"""


def test_the_streams_change_no_exit_code(tmp_path: Path) -> None:
    first, *others = COMMANDS
    cases = [(*streams, first) for streams in CLOSED + OTHERS]
    cases += [(*streams, other) for streams in [*CLOSED[-1:], *OTHERS] for other in others]
    done = subprocess.run(
        [sys.executable, "-c", ALL, json.dumps(cases)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(SMALL_CLI.parents[1])},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    expected = {}
    for kind, numbers, command in cases:
        code, has_results = COMMANDS[command]
        lost = kind == "full" and "1" in numbers and has_results
        expected[f"{kind} {numbers}: {command}"] = 4 if lost else code
    assert json.loads(done.stdout) == expected


PRINTS_LATE = "from mnist_tasks.cli import streams\nwith streams.reliable(): print('a result')"


@pytest.mark.parametrize("words", [("-m", "mnist_tasks", "--help"), ("-c", PRINTS_LATE)])
def test_results_that_are_lost_are_an_error(words: tuple[str, ...]) -> None:
    env = {**os.environ, "PYTHONPATH": str(SMALL_CLI.parents[1]), "PYTHONUNBUFFERED": ""}
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, *words],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env=env,
        )
    assert done.returncode == 4
    assert "standard output" in done.stderr
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_sweep_needs_no_standard_streams(tmp_path: Path) -> None:
    options = "sweep --seeds 0 --limit 64 -o s"
    done = subprocess.run(
        ["sh", "-c", f'exec <&- >&- 2>&- "$@" {options}', "sh", sys.executable, SMALL_CLI, "data"],
        cwd=tmp_path,
        env={**os.environ, "MNIST_TASKS_DATA": str(tmp_path / "data")},
        check=False,
    )
    assert done.returncode == 0
    assert len(list((tmp_path / "s").rglob("run.json"))) == 1


def test_a_library_that_is_missing_is_no_failed_contract(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("raise ModuleNotFoundError('none', name='typer')")
    path = os.pathsep.join([str(tmp_path), str(SMALL_CLI.parents[1])])
    for closing in ("2>&-", "2>/dev/full"):
        done = subprocess.run(
            ["sh", "-c", f'exec {closing} "$@"', "sh", sys.executable, "-m", "mnist_tasks", "vet"],
            env={**os.environ, "PYTHONPATH": path},
            check=False,
        )
        assert done.returncode == 4


def test_the_streams_of_the_caller_are_as_before(capsys: pytest.CaptureFixture[str]) -> None:
    before = sys.stdin, sys.stdout, sys.stderr, sys.__stderr__
    handlers = sys.stdout.errors, sys.stderr.errors
    for words, code in ((["--version"], 0), (["nosuch"], 2)):
        with pytest.raises(SystemExit) as ended:
            start.main(words)
        assert ended.value.code == code
    assert (sys.stdin, sys.stdout, sys.stderr, sys.__stderr__) == before
    assert (sys.stdout.errors, sys.stderr.errors) == handlers
    out, err = capsys.readouterr()
    assert out.startswith("mnist-tasks ")
    assert "nosuch" in err
    assert sys.__stderr__ is not None
    sys.__stderr__.flush()  # raised when it was detached


def test_a_stream_of_another_kind_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    monkeypatch.setattr(sys, "stdout", written)
    monkeypatch.setattr(sys, "stdin", None)
    with streams.reliable():
        print("é \udcff", flush=True)
        assert sys.stdin.read() == ""
    assert written.getvalue() == "é \udcff\n"
    assert sys.stdin is None


@pytest.mark.parametrize("size", ["0", "1", "-5", "junk", "²", "9" * 11])
def test_a_size_that_is_none_is_ignored(
    size: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", size)
    monkeypatch.setenv("LINES", size)
    for words in (["--help"], ["vet", "none.h5"]):
        with pytest.raises(SystemExit):
            start.main(words)
    out, err = capsys.readouterr()
    assert "check" in out
    assert max(map(len, out.splitlines())) == 80
    assert "none.h5" in err
    assert max(map(len, err.splitlines())) == 120
    assert os.environ["COLUMNS"] == size
