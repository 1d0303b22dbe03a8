"""The workflow where Windows or macOS lack what Linux has; see `other_system` for how."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import json_output, other_system
from tests.conftest import SMALL_CLI, Run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux is what is disguised")
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("other")
    for system in ("win32", "darwin"):
        other_system.python(path / system, system)
    return path


@pytest.fixture(scope="module")
def start(folder: Path) -> Start:
    """Start Python, or the command line on small data, on another system."""

    def run(system: str, *words: str | Path) -> subprocess.Popen[str]:
        temporary = folder / f"{system}-tmp"  # whose locks another system doesn't see
        temporary.mkdir(exist_ok=True)
        return subprocess.Popen(
            [folder / system / "bin" / "python", *words],
            cwd=folder,
            env={
                **{name: text for name, text in os.environ.items() if name != "PYTHONPATH"},
                "MNIST_TASKS_DATA": str(folder / "data"),
                "PYTHONIOENCODING": "cp1252" if system == "win32" else "utf-8",
                "TMPDIR": str(temporary),
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="cp1252" if system == "win32" else "utf-8",
            start_new_session=True,
        )

    return run


@pytest.fixture(scope="module")
def command(start: Start, folder: Path) -> Callable[..., Run]:
    def run(system: str, *words: str, code: int = 0) -> Run:
        with start(system, SMALL_CLI, folder / "data", *words) as process:
            output, errors = process.communicate(timeout=900)
        assert process.returncode == code, errors
        return Run(words, process.returncode, output, errors)

    return run


@pytest.fixture(scope="module")
def model(command: Callable[..., Run]) -> str:
    command("win32", "train", "--limit", "128", "--epochs", "1", "--batch-size", "32")
    return "model_latest.h5"


@pytest.mark.parametrize("system", ["win32", "darwin"])
def test_every_module_can_be_imported(system: str, start: Start) -> None:
    program = """
import pkgutil, importlib, mnist_tasks
from mnist_tasks import config
heavy = ("mnist_tasks.training", "mnist_tasks.vetting.execution", "mnist_tasks.starter")
for each in pkgutil.walk_packages(mnist_tasks.__path__, "mnist_tasks."):
    if not each.name.startswith(heavy) and "ray" not in each.name and "__main__" not in each.name:
        importlib.import_module(each.name)
print(hasattr(config.os, "sched_getaffinity"), config.available_cores() > 0)
"""
    with start(system, "-c", program) as process:
        output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    assert output.splitlines()[-1] == "False True"


OPEN_FILES = """
import threading
from pathlib import Path
from mnist_tasks import disk
target = Path("target")
disk.write(target, b"old")
reader = target.open()
threading.Timer(0.1, reader.close).start()
disk.write(target, b"new")
print(target.read_bytes())
with target.open():
    try:
        disk.write(target, b"newer")
    except PermissionError as error:
        print(error.filename, target.read_bytes())
print([path.name for path in Path().glob(".mnist-tasks-*")])
with disk.reserved(Path(), 1000, remedy=""):
    print("room")
"""


def test_a_file_is_replaced_once_nobody_reads_it(start: Start) -> None:
    with start("win32", "-c", OPEN_FILES) as process:
        output, errors = process.communicate(timeout=300)
    assert errors == ""
    assert output.splitlines() == ["b'new'", "target b'new'", "[]", "room"]


@pytest.mark.slow
@pytest.mark.parametrize("system", ["win32", "darwin"])
def test_a_model_is_checked(system: str, model: str, command: Callable[..., Run]) -> None:
    checked = json_output.result_of(command(system, "check", model, "--json", code=1))
    (outcome,) = checked["checks"]
    clauses = {each["name"]: each["status"] for each in outcome["check"]["verdict"]["clauses"]}
    assert clauses.pop("test accuracy") == "failed"  # which was measured
    assert set(clauses.values()) == {"passed"}
    protections = {each["name"]: each for each in outcome["check"]["protections"]}
    assert protections.pop("resource-limits")["status"] != ("on" if system == "win32" else "")
    for each in protections.values():
        assert each["status"] == "not available"
        assert each["detail"] == f"only on Linux, not on {system}"


@pytest.mark.slow
def test_workers_train(command: Callable[..., Run]) -> None:
    command("win32", "sweep", "--seeds", "0", "--limit", "128", "--output", "sweep")


@pytest.mark.slow
def test_the_rest_of_the_workflow_runs_on_windows(
    model: str, command: Callable[..., Run], folder: Path
) -> None:
    command("win32", "fetch")
    assert "nothing in it runs code" in command("win32", "vet", model).stdout.lower()
    assert "not on win32" in command("win32", "doctor", "--offline").stdout
    assert "report.html" in command("win32", "report").stdout
    (run, *_) = (folder / "runs").glob("*/run.json")
    listed = command("win32", "runs").stdout
    assert run.parent.name in listed
    assert "?" not in listed  # in what cp1252 lacks


@pytest.mark.slow
def test_the_vetting_process_ends_with_its_parent(model: str, start: Start, folder: Path) -> None:
    """Windows tells a process the id of its parent, or of a launcher, even after its death."""
    with start("win32", SMALL_CLI, folder / "data", "check", model) as parent:
        deadline = time.monotonic() + 300
        while not (children := list(vetting_processes(folder))):
            assert parent.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        os.killpg(parent.pid, signal.SIGKILL)
        parent.communicate()
    while any(Path(f"/proc/{child}").exists() for child in children):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def vetting_processes(folder: Path) -> Iterator[str]:
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = entry.read_bytes()
            if os.fsencode(folder / "win32") in words and b"supervisor.start" in words:
                yield entry.parent.name
