"""The processes of an export: their answers, their errors, and their end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mnist_tasks.errors import EnvironmentProblemError, InputRefusedError, MnistTasksError
from mnist_tasks.exporting import process, protocol
from tests.conftest import restore_ctrl_c

REQUEST = protocol.Run(format="onnx", output="logits", batch_size=1, latency_runs=1)
ANSWER = """
import os
from mnist_tasks.exporting import child, protocol
from mnist_tasks.vetting.untrusted_text import RefusedError
def work(request):
    assert request.format == "onnx" and "HOME" in os.environ
    {body}
def main():
    child.answer(protocol.Run, work)
"""
# What starts another process, and never ends.
HANGS = """
import os, subprocess, sys, time
def main():
    other = subprocess.Popen(["sleep", "600"], start_new_session=True)
    with open({0!r}, "w") as file:
        file.write(f"{{os.getpid()}} {{other.pid}}\\n")
    time.sleep(600)
"""
PARENT = """
import sys
from pathlib import Path
from mnist_tasks.cli import termination
from mnist_tasks.exporting import process, protocol
sys.path.append(str(Path("programs").resolve()))
request = protocol.Run(format="onnx", output="logits", batch_size=1, latency_runs=1)
with termination.unwinding():
    process.run(
        "hangs", request, protocol.Ran, folder=Path("work").resolve(), name="m.h5", seconds=600
    )
"""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of programs for `process.run`."""
    for name in ("programs", "work"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path / "programs")])
    return tmp_path / "programs"


def run(folder: Path, text: str, seconds: float = 600) -> protocol.Ran:
    (folder / "program_of_a_test.py").write_text(text)
    return process.run(
        "program_of_a_test",
        REQUEST,
        protocol.Ran,
        folder=folder.parent / "work",
        name="model.h5",
        seconds=seconds,
    )


def test_an_answer(programs: Path) -> None:
    body = "print('noise'); return protocol.Ran(latency=[0.5], versions={'a': '1'})"
    assert run(programs, ANSWER.format(body=body)) == protocol.Ran(
        latency=[0.5], versions={"a": "1"}
    )


@pytest.mark.parametrize(
    ("body", "kind", "reason", "found"),
    [
        ("raise ValueError('no such op')", InputRefusedError, "export-failed", "no such op"),
        ("raise RefusedError('half')", InputRefusedError, "export-failed", "half"),
        ("import onnx.nothing", EnvironmentProblemError, "library-broken", "onnx"),
        ("import keras_nothing", EnvironmentProblemError, "library-broken", "keras_nothing"),
        ("open('none')", InputRefusedError, "export-failed", "No such file"),
        ("raise OSError(28, 'No space')", EnvironmentProblemError, "environment-problem", "space"),
        ("raise MemoryError", EnvironmentProblemError, "environment-problem", "out of memory"),
        ("os.abort()", EnvironmentProblemError, "process-died", "SIGABRT"),
        ("os.kill(os.getpid(), 9)", EnvironmentProblemError, "process-killed", "SIGKILL"),
        ("os._exit(7)", EnvironmentProblemError, "process-died", "7"),
    ],
)
def test_what_can_go_wrong(
    body: str, kind: type[MnistTasksError], reason: str, found: str, programs: Path
) -> None:
    with pytest.raises(kind) as caught:
        run(programs, ANSWER.format(body=body))
    assert (type(caught.value), caught.value.reason) == (kind, reason)
    assert found in caught.value.found
    assert caught.value.remedy


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere, nothing finds the other process")
def test_a_process_that_takes_too_long_is_ended_with_what_it_started(programs: Path) -> None:
    pids = programs / "pids"
    with pytest.raises(EnvironmentProblemError) as caught:
        # Python has started long before, even on a busy machine.
        run(programs, HANGS.format(str(pids)), seconds=5)
    assert caught.value.reason == "time-limit"
    assert not alive(pids)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere, nothing finds the other process")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_ends_it_with_what_it_started(number: signal.Signals, programs: Path) -> None:
    pids = programs / "pids"
    (programs / "hangs.py").write_text(HANGS.format(str(pids)))
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT],
        cwd=programs.parent,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stderr=subprocess.DEVNULL,
        preexec_fn=restore_ctrl_c,
    )
    wait_until(lambda: (pids.exists() and pids.read_text().endswith("\n")) or parent.poll())
    parent.send_signal(number)
    parent.wait(timeout=600)
    wait_until(lambda: not alive(pids))
    if number == signal.SIGTERM:
        assert parent.returncode == 143


def alive(pids: Path) -> list[int]:
    found = []
    for pid in map(int, pids.read_text().split()):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            continue
        found.append(pid)
    return found


def wait_until(condition: object) -> None:
    assert callable(condition)
    end = time.monotonic() + 600
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)
