"""Start the confined child process, wait for its result, and end it with all its descendants."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import IO, Self, get_args

import msgspec

from mnist_tasks import temporary
from mnist_tasks.check_records import Protection
from mnist_tasks.errors import EnvironmentProblemError
from mnist_tasks.vetting import protocol
from mnist_tasks.vetting.isolation import protections
from mnist_tasks.vetting.limits import Limits, share_of_images
from mnist_tasks.vetting.process import child_errors, import_path, supervisor

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
from mnist_tasks.vetting.process import supervisor
supervisor.start(given["parent"])
"""
_BOOT = """
from mnist_tasks.vetting.process.child_start import main
main()
"""
_END_SECONDS = 10.0
# More than a child may send: twice the bytes of each probability in Base64.
_MOST_LINES, _MOST_BYTES, _BYTES_PER_PROBABILITY = 100, 4 * 1024**2, 11
_TOO_MUCH = b"?"  # no valid message
_STAGES = get_args(protocol.StageName)
# Variables that libraries may need to load; the child gets none of the user's others.
_PASSED_ON = ("LD_LIBRARY_PATH", "SYSTEMROOT")
_running: set[ChildProcess] = set()


def command(boot: str) -> list[str]:
    """Return the command line of a new Python that runs `boot`, apart from this process's folder.

    It imports the libraries of this process. On Linux, it runs below a supervisor, which ends it
    and all that it started once this process has ended, or has sent SIGTERM; elsewhere, it ends
    when its standard input does.
    """
    given = {
        "root": str(Path(__file__).resolve().parents[3]),
        "path": import_path.import_path(),
        "user_sites": import_path.user_sites(),
        "parent": os.getpid(),
    }
    return [sys.executable, "-I", "-c", _START + boot, json.dumps(given)]


def start(
    boot: str, folder: Path, *, stdout: int | IO[bytes], stderr: IO[bytes]
) -> subprocess.Popen[bytes]:
    """Start a new Python that runs `boot` in a folder; see `command`.

    Raises
    ------
    EnvironmentProblemError
        The system can't start it.
    """
    try:
        return subprocess.Popen(
            command(boot),
            cwd=folder,
            env=environment(folder),
            # See `supervisor.start`.
            stdin=subprocess.DEVNULL if sys.platform == "linux" else subprocess.PIPE,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,  # Ctrl-C reaches this process, which ends that one
        )
    except OSError as error:
        raise child_errors.not_started(error) from error


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process of `start` and all that it started; nothing remains when this returns."""
    _terminate(process)
    try:
        process.wait(timeout=_END_SECONDS)
    except subprocess.TimeoutExpired:  # the supervisor was stopped
        for each in supervisor.descendants(process.pid):
            with contextlib.suppress(OSError):
                os.kill(each, signal.SIGKILL)
        process.kill()
        process.wait()
    if process.stdin:
        process.stdin.close()


def _terminate(process: subprocess.Popen[bytes]) -> None:
    if sys.platform == "linux":
        process.terminate()  # the supervisor ends it
    else:
        process.kill()


def end_all() -> None:
    """End every child process that is running now; see `ChildProcess.end`."""
    for child in tuple(_running):
        child.end()


class ChildProcess:
    """A child process that ends with its ``with`` block, as does everything that it started.

    Parameters
    ----------
    folder
        Its working folder, with the request.
    images
        How many images it predicts at most.
    classes
        How many probabilities it predicts for each.
    """

    def __init__(self, folder: Path, limits: Limits, *, images: int, classes: int) -> None:
        self.limits = limits
        self.folder = folder
        self.most_bytes = _MOST_BYTES + images * classes * _BYTES_PER_PROBABILITY
        self.wall_seconds = limits.wall_seconds * share_of_images(images)
        loading = limits.load_seconds
        self.stage_seconds = {"vet": limits.vet_seconds, "count": loading, "load": loading}
        self.stage: protocol.StageName = "start"
        self.protections: tuple[Protection, ...] = ()
        self.lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def __enter__(self) -> Self:
        with temporary.usable():
            # The child can't replace a file without a name.
            self.stderr = tempfile.TemporaryFile(dir=self.folder)
        try:
            self.process = start(_BOOT, self.folder, stdout=subprocess.PIPE, stderr=self.stderr)
        except EnvironmentProblemError:
            self.stderr.close()
            raise
        output = (self.process.stdout, self.lines, self.most_bytes)
        self.reader = threading.Thread(target=_read_lines, args=output, daemon=True)
        self.reader.start()
        _running.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        _running.discard(self)
        end(self.process)
        self.reader.join(timeout=5)
        self.stderr.close()

    def end(self) -> None:
        """End the child and every process that it started; `wait_for_result` raises an error."""
        _terminate(self.process)

    def wait_for_result(self, file_name: str) -> protocol.StaticResult | protocol.InspectionResult:
        """Return the child's result; raise what it reports, or how it failed, as an error."""
        end = time.monotonic() + self.wall_seconds
        while True:
            stage_seconds = self.stage_seconds.get(self.stage, self.wall_seconds)
            seconds = min(end - time.monotonic(), stage_seconds)
            try:
                line = self.lines.get(timeout=max(0.0, seconds))
            except queue.Empty:
                in_total = self.stage in self.stage_seconds and seconds < stage_seconds
                given = self.wall_seconds if in_total else stage_seconds
                raise child_errors.timed_out(
                    file_name, self.stage, given, in_total=in_total
                ) from None
            if not line:
                try:
                    code = self.process.wait(timeout=_END_SECONDS)
                except subprocess.TimeoutExpired:  # it closed its output, and goes on
                    raise child_errors.invalid_result(file_name) from None
                raise child_errors.died(file_name, self.stage, code, self.limits, self.stderr)
            try:
                message: protocol.Message = msgspec.json.decode(line, type=protocol.Message)
            except (msgspec.MsgspecError, RecursionError) as error:
                raise child_errors.invalid_result(file_name) from error
            match message:
                case protocol.Confined() if self.stage == "start" and not self.protections:
                    self._accept(message, file_name)
                case protocol.Stage() if _is_later(message.name, self.stage):
                    self.stage = message.name
                case protocol.Refused() | protocol.EnvironmentProblem() | protocol.BrokenLibrary():
                    raise child_errors.reported(message, file_name)
                case protocol.StaticResult() | protocol.InspectionResult() if self.protections:
                    return message
                case _:
                    raise child_errors.invalid_result(file_name)

    def _accept(self, message: protocol.Confined, file_name: str) -> None:
        """Keep what the child says of its confinement, which this process can't verify.

        It can be believed because the child has read nothing of the file yet, and so still is this
        package's own code; once a stage has begun, the message is refused.
        """
        reported = protections.validated(message.protections)
        if reported is None:
            raise child_errors.invalid_result(file_name)
        self.protections = reported
        if self.limits.require_isolation:
            protections.require(file_name, reported)


def _is_later(stage: protocol.StageName, other: protocol.StageName) -> bool:
    return _STAGES.index(stage) > _STAGES.index(other)


def _read_lines(stream: IO[bytes], lines: queue.SimpleQueue[bytes], most_bytes: int) -> None:
    """Queue each complete line of a stream, then an empty one; or `_TOO_MUCH`, and read no more."""
    with stream:
        for _ in range(_MOST_LINES):
            line = stream.readline(most_bytes + 1)
            most_bytes -= len(line)
            if most_bytes < 0:
                break
            if not line.endswith(b"\n"):
                lines.put(b"")
                return
            lines.put(line)
    lines.put(_TOO_MUCH)


def environment(folder: Path) -> dict[str, str]:
    """Return the variables of a process that works in a folder and uses no GPU."""
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
