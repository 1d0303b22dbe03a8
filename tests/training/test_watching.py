"""The watcher of a worker: what it passes on, and what it ends."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import conftest

# As TensorFlow does while it connects: in C, with Python's lock held.
HANG = "with watching.connecting(): ctypes.PyDLL(None).sleep(60)"
SCRIPT = """
import ctypes, os, sys, time
from mnist_tasks.errors import EnvironmentLacksError
from mnist_tasks.training import watching
from mnist_tasks.training.cluster import Cluster
cluster = Cluster(tasks=("worker:0", "worker:1"), addresses=("a:1", "b:2"), me=0)
try:
    watching.watch(cluster, connect_within=1)
except EnvironmentLacksError as error:
    print(error.subject, "|", error.found)
    sys.exit(error.exit_code)
print("child", os.getpid(), flush=True)
{}
"""


def begin(action: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(action)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=conftest.hear_ctrl_c,
    )


def is_alive(process: int) -> bool:
    """Whether there is such a process, which is no mere entry that waits to be read."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.parametrize(
    ("action", "code"),
    [
        ("pass", 0),
        ("sys.exit(3)", 3),
        ("os.kill(os.getpid(), 9)", 137),
        ("with watching.connecting(): pass\ntime.sleep(1.5)", 0),  # what comes after may take long
    ],
)
def test_the_exit_code_is_passed_on(action: str, code: int) -> None:
    process = begin(action)
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == code, stderr


def test_one_that_hangs_while_it_connects_is_ended_with_an_error() -> None:
    begun = time.monotonic()
    process = begin(HANG)
    stdout, _ = process.communicate(timeout=20)
    assert process.returncode == 4
    assert "worker 1 (b:2) | it still waits for one that was there before" in stdout
    assert time.monotonic() - begun < 10
    assert not is_alive(int(stdout.split()[1]))


def test_ctrl_c_ends_one_that_hangs() -> None:
    process = begin(HANG)
    assert process.stdout is not None
    child = int(process.stdout.readline().split()[1])
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode not in {0, 4}
    assert not is_alive(child)


def test_it_ends_with_its_watcher() -> None:
    process = begin("time.sleep(60)")
    assert process.stdout is not None
    child = int(process.stdout.readline().split()[1])
    assert is_alive(child)
    process.kill()
    process.communicate()
    end = time.monotonic() + 5
    while is_alive(child):
        assert time.monotonic() < end
        time.sleep(0.05)
