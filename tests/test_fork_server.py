"""Processes of the fork server do what new ones do."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from mnist_tasks.vetting import trial
from tests.fork_server import can_run, run_anew

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import CommandLine
    from tests.fork_server import ForkServer

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems have none")
SAMPLE = str(trial.SAMPLE)
SCRIPT = """
import atexit, os, sys, tempfile
from pathlib import Path
import helper
atexit.register(print, "at the end")
print(sys.argv[1:], __name__, __file__, Path.cwd(), tempfile.gettempdir(), helper.NAME)
print(os.environ.get("NEW"), os.environ.get("HOME"), sys.stdin.read(), file=sys.stderr)
exec(sys.argv[1])
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("bake",),
        ("train", "--recipe", "x"),
        ("fetch", "--offline", "--json"),
        ("runs", "--json"),
        ("report",),
        ("vet", SAMPLE),
        ("vet", SAMPLE, "none.h5", "--json"),
        ("false-alarms", "none", "--json"),
        ("sweep", "--seeds", "x"),
        ("doctor", "--timeout", "x"),
    ],
)
def test_a_command_prints_and_returns_the_same(
    cli: CommandLine, arguments: tuple[str, ...]
) -> None:
    env = {"FORCE_COLOR": "1", "COLUMNS": "100"}
    forked, new = cli(*arguments, env=env), cli(*arguments, env=env, fresh=True)
    assert forked.returncode == new.returncode
    assert (forked.stdout, forked.stderr) == (new.stdout, new.stderr)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("pass", 0),
        ("sys.exit()", 0),
        ("sys.exit(7)", 7),
        ("sys.exit('no')", 1),
        ("1 / 0", 1),
        ("os.kill(os.getpid(), 9)", -9),
        ("raise KeyboardInterrupt", -2),
    ],
)
def test_a_script_runs_as_in_a_new_process(
    fork_server: ForkServer, tmp_path: Path, code: str, status: int
) -> None:
    (tmp_path / "helper.py").write_text("NAME = 'beside the script'")
    (tmp_path / "script.py").write_text(SCRIPT)
    (tmp_path / "below").mkdir()
    arguments = [str(tmp_path / "script.py"), code, "\udcff"]
    env = {**os.environ, "NEW": "\udcfe", "TMPDIR": str(tmp_path)}
    forked, new = (
        run(arguments, cwd=tmp_path / "below", env=env) for run in (fork_server.run, run_anew)
    )
    assert forked.returncode == new.returncode == status
    assert forked.stdout == new.stdout
    first, *lines = forked.stderr.splitlines()
    assert first == new.stderr.splitlines()[0]
    # The traceback has lines of `runpy`, too.
    assert lines[-1:] == new.stderr.splitlines()[1:][-1:]


def test_what_is_read_at_start_needs_a_new_process() -> None:
    assert can_run({**os.environ, "COLUMNS": "80", "MNIST_TASKS_DATA": "data"})
    for name in ("PYTHONPATH", "PYTHONWARNINGS", "TF_CPP_MIN_LOG_LEVEL", "LC_ALL", "HOME"):
        assert not can_run({**os.environ, name: "another"})
    assert not can_run({name: os.environ[name] for name in os.environ.keys() - {"HOME"}})
