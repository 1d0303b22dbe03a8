"""A child process under guard: started clean, heard out stage by stage, ended with all it began."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

import msgspec

import mnist_tasks
from mnist_tasks.errors import EnvironmentProblemError, InputRefusedError
from mnist_tasks.vetting import protocol
from mnist_tasks.vetting.untrusted_text import shown

if TYPE_CHECKING:
    from mnist_tasks.vetting.limits import Limits

# Isolated mode (-I) sees neither the working folder nor what the environment says of Python.
_BOOT = """
import sys
sys.path.append(sys.argv.pop())
from mnist_tasks.vetting.child_main import main
main()
"""
_LONGEST_LINE = 64 * 1024**2
# What a library may need to be found and to start; nothing else of the user's reaches the child.
_PASSED_ON = ("LD_LIBRARY_PATH", "SYSTEMROOT")


class Child:
    """A child process that does not outlive its ``with`` block, nor does anything it started."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        self.limits = limits
        self.folder = folder
        self.stage: protocol.StageName = "start"
        self.lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def __enter__(self) -> Self:
        root = Path(mnist_tasks.__file__).resolve().parent.parent
        with (self.folder / "stderr.txt").open("wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-c", _BOOT, str(root)],
                cwd=self.folder,
                env=_environment(self.folder),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        self.reader = threading.Thread(
            target=_read_lines, args=(self.process.stdout, self.lines), daemon=True
        )
        self.reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        for process in _session(self.process.pid):
            with contextlib.suppress(OSError):
                os.kill(process, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        self.reader.join(timeout=5)

    def answer(self, name: str) -> protocol.Vetted | protocol.Inspected:
        """Wait for the child's last word, stage by stage."""
        end = time.monotonic() + self.limits.wall_seconds
        while True:
            allowed = min(end - time.monotonic(), self._seconds())
            try:
                line = self.lines.get(timeout=max(0.0, allowed))
            except queue.Empty:
                raise self._overrun(name, allowed) from None
            if not line:
                raise self._died(name)
            try:
                answer: protocol.Answer = msgspec.json.decode(line, type=protocol.Answer)
            except msgspec.MsgspecError as error:
                raise InputRefusedError(
                    name, found="the process that looked at it gave no proper answer"
                ) from error
            match answer:
                case protocol.Stage():
                    self.stage = answer.name
                case protocol.Refused():
                    expected = shown(answer.expected, limit=200) if answer.expected else None
                    raise InputRefusedError(
                        name,
                        found=shown(answer.found, limit=300),
                        expected=expected,
                        remedy="Don't open this file with Keras unless you trust its source.",
                    )
                case protocol.Lacking():
                    raise EnvironmentProblemError(name, found=shown(answer.found, limit=300))
                case _:
                    return answer

    def _seconds(self) -> float:
        """How long the stage at hand may take."""
        if self.stage == "vet":
            return self.limits.vet_seconds
        if self.stage in {"count", "load"}:
            return self.limits.load_seconds
        return self.limits.wall_seconds

    def _overrun(self, name: str, seconds: float) -> InputRefusedError | EnvironmentProblemError:
        found = f"the stage '{self.stage}' was not done after {seconds:.0f} s"
        if self.stage == "vet":
            return InputRefusedError(name, found=found, expected="a file that reads at once")
        return EnvironmentProblemError(
            name, found=found, remedy="Try on a machine that is less busy."
        )

    def _died(self, name: str) -> InputRefusedError | EnvironmentProblemError:
        code = self.process.wait()
        cause = f"signal {signal.Signals(-code).name}" if code < 0 else f"code {code}"
        last = _last_line(self.folder / "stderr.txt")
        found = f"the process that looked at it ended in the stage '{self.stage}' with {cause}"
        found += f" ({last})" if last else ""
        if self.stage == "vet":
            return InputRefusedError(name, found=found, expected="a file that HDF5 can read")
        memory, seconds = self.limits.memory_bytes / 1024**3, self.limits.cpu_seconds
        return EnvironmentProblemError(
            name,
            found=found,
            expected=f"at most {memory:.0f} GiB of memory and {seconds:.0f} s of processor time",
        )


def _read_lines(stream: IO[bytes], lines: queue.SimpleQueue[bytes]) -> None:
    """Pass on whole lines; an empty one says that there will be no more."""
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
        # A verdict must not depend on the device, and a GPU maps more memory than is allowed.
        "CUDA_VISIBLE_DEVICES": "-1",
        # glibc reserves 64 MiB of address space for each thread otherwise.
        "MALLOC_ARENA_MAX": "2",
        "OPENBLAS_NUM_THREADS": "1",
        "LC_ALL": "C.UTF-8",
    }


def _session(leader: int) -> list[int]:
    """List the processes of a session, where the system tells; a group alone can be left."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            # The name in brackets may hold anything; after it: state, parent, group, session.
            fields = entry.read_text().rpartition(")")[2].split()
            if int(fields[3]) == leader:
                found.append(int(entry.parent.name))
    return found


def _last_line(path: Path) -> str:
    """Give the last thing that a library said, made fit to show."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 2000))
        lines = file.read().decode("ascii", "backslashreplace").split("\n")
    return next((shown(line.strip(), limit=120) for line in reversed(lines) if line.strip()), "")
