"""Start the confined child process, wait for its result, and end it with all its descendants."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from importlib import metadata
from pathlib import Path
from typing import IO, Self

import msgspec

from mnist_tasks import install
from mnist_tasks.errors import EnvironmentProblemError, InputRefusedError, MnistTasksError
from mnist_tasks.records import Protection
from mnist_tasks.vetting import import_path, protections, protocol, supervisor
from mnist_tasks.vetting.limits import Limits
from mnist_tasks.vetting.outcomes import REMEDIES
from mnist_tasks.vetting.private_folder import usable
from mnist_tasks.vetting.untrusted_text import sanitize

# Isolated mode (-I) ignores the working folder and Python's environment variables. This package is
# the parent's, and nothing else is imported from the folder in which it lies.
_START = """
import json, site, sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
given = json.loads(sys.argv.pop())
for folder in given["user_sites"]:
    site.addsitedir(folder)
sys.path[:] = given["path"]
spec = PathFinder.find_spec("mnist_tasks", [given["root"]])
sys.modules["mnist_tasks"] = module_from_spec(spec)
spec.loader.exec_module(sys.modules["mnist_tasks"])
from mnist_tasks.vetting import supervisor
supervisor.start(given["parent"])
"""
_BOOT = """
from mnist_tasks.vetting.child_start import main
main()
"""
_END_SECONDS = 10.0
_LONGEST_LINE = 64 * 1024**2
# Variables that libraries may need to load; the child gets none of the user's others.
_PASSED_ON = ("LD_LIBRARY_PATH", "SYSTEMROOT")
_running: set[ChildProcess] = set()


def end_all() -> None:
    """End every child process that is running now; see `ChildProcess.end`."""
    for child in tuple(_running):
        child.end()


class ChildProcess:
    """A child process that ends with its ``with`` block, as does everything that it started."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        self.limits = limits
        self.folder = folder
        loading = limits.load_seconds
        self.stage_seconds = {"vet": limits.vet_seconds, "count": loading, "load": loading}
        self.stage: protocol.StageName = "start"
        self.protections: tuple[Protection, ...] = ()
        self.lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def __enter__(self) -> Self:
        given = {
            "root": str(Path(__file__).resolve().parents[2]),
            "path": import_path.import_path(),
            "user_sites": import_path.user_sites(),
            "parent": os.getpid(),
        }
        with usable():
            errors = (self.folder / "stderr.txt").open("wb")
        with errors:
            try:
                self.process = subprocess.Popen(
                    [sys.executable, "-I", "-c", _START + _BOOT, json.dumps(given)],
                    cwd=self.folder,
                    env=_environment(self.folder),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    start_new_session=True,
                )
            except OSError as error:
                raise EnvironmentProblemError(
                    sys.executable or "Python",
                    expected="a Python that can be started",
                    found=error.strerror or str(error),
                    remedy="Close other programs, or repair this Python, then rerun.",
                ) from error
        self.reader = threading.Thread(
            target=_read_lines, args=(self.process.stdout, self.lines), daemon=True
        )
        self.reader.start()
        _running.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        _running.discard(self)
        self.end()
        try:
            self.process.wait(timeout=_END_SECONDS)
        except subprocess.TimeoutExpired:  # the supervisor was stopped
            for process in supervisor.descendants(self.process.pid):
                with contextlib.suppress(OSError):
                    os.kill(process, signal.SIGKILL)
            self.process.kill()
            self.process.wait()
        self.reader.join(timeout=5)

    def end(self) -> None:
        """End the child and every process that it started; `wait_for_result` raises an error."""
        if sys.platform == "linux":
            self.process.terminate()  # the supervisor does it
        else:
            self.process.kill()

    def wait_for_result(self, file_name: str) -> protocol.StaticResult | protocol.InspectionResult:
        """Return the child's result; raise what it reports, or how it failed, as an error."""
        end = time.monotonic() + self.limits.wall_seconds
        while True:
            stage_seconds = self.stage_seconds.get(self.stage, self.limits.wall_seconds)
            seconds = min(end - time.monotonic(), stage_seconds)
            try:
                line = self.lines.get(timeout=max(0.0, seconds))
            except queue.Empty:
                raise self._timed_out(file_name, seconds) from None
            if not line:
                raise self._died(file_name)
            try:
                message: protocol.Message = msgspec.json.decode(line, type=protocol.Message)
            except msgspec.MsgspecError as error:
                raise invalid_result(file_name) from error
            match message:
                case protocol.Confined() if self.stage == "start" and not self.protections:
                    self._accept(message, file_name)
                case protocol.Stage():
                    self.stage = message.name
                case protocol.Refused() | protocol.EnvironmentProblem() | protocol.BrokenLibrary():
                    raise _reported(message, file_name)
                case protocol.StaticResult() | protocol.InspectionResult() if self.protections:
                    return message
                case _:
                    raise invalid_result(file_name)

    def _accept(self, message: protocol.Confined, file_name: str) -> None:
        """Keep what the child says of its confinement, which this process can't verify.

        It can be believed because the child has read nothing of the file yet, and so still is this
        package's own code; once a stage has begun, the message is refused.
        """
        reported = protections.validated(message.protections)
        if reported is None:
            raise invalid_result(file_name)
        self.protections = reported
        if self.limits.require_isolation:
            protections.require(file_name, reported)

    def _timed_out(self, file_name: str, seconds: float) -> MnistTasksError:
        found = f"stage '{self.stage}' did not finish within {seconds:.0f} s"
        if self.stage == "vet":
            return InputRefusedError(
                file_name, found=found, expected="a file that is vetted in time"
            )
        remedy = "Rerun on a machine that is less busy."
        return EnvironmentProblemError(file_name, found=found, remedy=remedy)

    def _died(self, file_name: str) -> MnistTasksError:
        code = self.process.wait()
        cause = f"signal {signal.Signals(-code).name}" if code < 0 else f"code {code}"
        last = _last_line(self.folder / "stderr.txt")
        found = f"the vetting process ended in stage '{self.stage}' with {cause}"
        found += f" ({last})" if last else ""
        if self.stage == "vet":
            return InputRefusedError(file_name, found=found, expected="a file that HDF5 can read")
        memory, seconds = self.limits.memory_bytes / 1024**3, self.limits.cpu_seconds
        expected = f"at most {memory:.0f} GiB of memory and {seconds:.0f} s of CPU time"
        return EnvironmentProblemError(file_name, found=found, expected=expected)


def invalid_result(file_name: str) -> InputRefusedError:
    """Return the error for a child that sent an invalid message."""
    return InputRefusedError(file_name, found="the vetting process did not return a valid result")


def _reported(
    message: protocol.Refused | protocol.EnvironmentProblem | protocol.BrokenLibrary, file_name: str
) -> MnistTasksError:
    match message:
        case protocol.Refused():
            expected = message.expected
            return InputRefusedError(
                file_name,
                found=sanitize(message.found, limit=300),
                expected=sanitize(expected, limit=200) if expected else None,
                remedy=REMEDIES[message.outcome],
                reason=message.outcome,
            )
        case protocol.EnvironmentProblem():
            return EnvironmentProblemError(file_name, found=sanitize(message.found, limit=300))
        case protocol.BrokenLibrary():
            return _broken_library(message)


def _broken_library(message: protocol.BrokenLibrary) -> EnvironmentProblemError:
    name = sanitize(message.name)
    remedy = f"Run {install.command()}."
    if not message.missing:
        with contextlib.suppress(metadata.PackageNotFoundError):
            remedy = f"Run {install.repair(name)}."
    return EnvironmentProblemError(
        name,
        expected="a library that the vetting process can import",
        found=f"its import failed: {sanitize(message.found, limit=300)}",
        remedy=remedy,
        reason="library-broken",
    )


def _read_lines(stream: IO[bytes], lines: queue.SimpleQueue[bytes]) -> None:
    """Queue each line of a stream, and an empty one at its end."""
    with stream:
        for line in iter(lambda: stream.readline(_LONGEST_LINE), b""):
            lines.put(line)
    lines.put(b"")


def _environment(folder: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    home = dict.fromkeys(("HOME", "TMPDIR", "TEMP", "TMP", "KERAS_HOME"), str(folder))
    return {
        **kept,
        **home,
        "KERAS_BACKEND": "tensorflow",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        # A verdict must not depend on the device, and a GPU maps more memory than the limit.
        "CUDA_VISIBLE_DEVICES": "-1",
        # glibc reserves 64 MiB of address space for each thread otherwise.
        "MALLOC_ARENA_MAX": "2",
        "OPENBLAS_NUM_THREADS": "1",
        "LC_ALL": "C.UTF-8",
    }


def _last_line(path: Path) -> str:
    """Return the last line that a library printed, as printable ASCII."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 2000))
        lines = file.read().decode("ascii", "backslashreplace").split("\n")
    return next((sanitize(line.strip(), limit=120) for line in reversed(lines) if line.strip()), "")
