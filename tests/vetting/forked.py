"""Vetting processes that fork from one that has imported their libraries: the start costs nothing.

Starting Python, NumPy, TensorFlow and Keras takes seconds, and is the same for every file. What
comes after it, from the confinement to the result, is the package's own code here, too.
"""

from __future__ import annotations

import functools
import os
import resource
import signal
import subprocess
import sys
import time
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any, NoReturn

import msgspec

from mnist_tasks import fast_import
from mnist_tasks.vetting import child_main, protocol
from mnist_tasks.vetting.process import child_process, supervisor


@functools.cache
def prepare(home: Path) -> None:
    """Make the vetting processes of this process fork from it, for good.

    Parameters
    ----------
    home
        Where Keras writes its settings.
    """
    # In the environment of a vetting process, before a library reads it.
    os.environ.update(child_process.environment(home))
    for name in ("msgspec", "numpy", "h5py"):
        import_module(name)
    install()


def install() -> None:
    """Replace the start of the vetting processes of this process."""
    replaced: Any = SimpleNamespace(
        **{name: getattr(subprocess, name) for name in ("DEVNULL", "PIPE", "TimeoutExpired")},
        Popen=_start,
    )
    vars(child_process)["subprocess"] = replaced


def tensorflow_runs() -> bool:
    """Whether TensorFlow has started its threads here: they would be missing after a fork."""
    eager = sys.modules.get("tensorflow.python.eager.context")
    return eager is not None and bool(getattr(eager.context_safe(), "_initialized", False))


def _start(command: list[str], **options: Any) -> Any:
    is_vetting = command[3].endswith(child_process._BOOT)  # an export starts others
    fork = is_vetting and sys.platform == "linux" and not tensorflow_runs()
    return (ForkedProcess if fork else subprocess.Popen)(command, **options)


@functools.cache
def import_keras() -> None:
    """Import what a vetting process imports after the static check."""
    with fast_import.light():
        import_module("keras")
        import_module("tensorflow")


class ForkedProcess:
    """What `ChildProcess` uses of `subprocess.Popen`, on Linux."""

    stdin = None

    def __init__(self, _command: list[str], *, cwd: Path, stderr: IO[bytes], **_: Any) -> None:
        parent = os.getpid()
        reading, writing = os.pipe()
        self.returncode: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            _run(cwd, writing, stderr.fileno(), parent)
        os.close(writing)
        self.stdin = None
        self.stdout = os.fdopen(reading, "rb")

    def wait(self, timeout: float = 600.0) -> int:
        end = time.monotonic() + timeout
        while self.returncode is None:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            if ended:
                self.returncode = os.waitstatus_to_exitcode(status)
            elif time.monotonic() > end:
                raise subprocess.TimeoutExpired([], timeout)
            else:
                time.sleep(0.002)
        return self.returncode

    def terminate(self) -> None:
        if self.returncode is None:
            os.kill(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        if self.returncode is None:
            os.kill(self.pid, signal.SIGKILL)


def _run(folder: Path, output: int, errors: int, parent: int) -> NoReturn:
    """Do in a new process, which has one thread, what `child_process` has a new Python do."""
    try:
        sys.settrace(None)  # nothing could save the coverage
        os.setsid()
        os.chdir(folder)
        os.environ.update(child_process.environment(folder))
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output, 1)
        os.dup2(errors, 2)
        os.closerange(3, 256)
        _allow_for_libraries(folder / "request.json")
        supervisor.start(parent)
        child_main.main()
    finally:
        os._exit(101)  # none of the caller's code may run in this process


def _allow_for_libraries(request: Path) -> None:
    """Give the static check its memory on top of what the libraries after it have taken."""
    if "keras" in sys.modules:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        asked = msgspec.json.decode(request.read_bytes(), type=protocol.Request)
        more = asked.limits.vet_memory_bytes + pages * resource.getpagesize()
        limits = replace(asked.limits, vet_memory_bytes=more)
        request.write_bytes(msgspec.json.encode(msgspec.structs.replace(asked, limits=limits)))
