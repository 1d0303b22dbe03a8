"""Start a program of an export in a fresh process, and end it with all that it started.

The model was vetted and run in the sandbox before. The process gets a folder of its own, a short
list of variables, a time limit, and no GPU; it is not confined otherwise.
"""

from __future__ import annotations

import signal
import subprocess
import tempfile
from pathlib import Path
from typing import IO, TypeVar

import msgspec

from mnist_tasks import install, temporary
from mnist_tasks.errors import EnvironmentProblemError, InputRefusedError, MnistTasksError
from mnist_tasks.exporting import formats, protocol
from mnist_tasks.exporting.formats import Format
from mnist_tasks.vetting.process import child_errors, child_process
from mnist_tasks.vetting.untrusted_text import sanitize

Answer = TypeVar("Answer", protocol.Converted, protocol.Ran)


def run(
    program: str,
    request: protocol.Convert | protocol.Run,
    answer: type[Answer],
    *,
    folder: Path,
    name: str,
    seconds: float,
) -> Answer:
    """Run a program on a request, and return its answer.

    Parameters
    ----------
    program
        A module whose function ``main`` reads `protocol.REQUEST` and writes `protocol.RESULT` in
        the working folder.
    name
        The model's path, for errors.

    Raises
    ------
    InputRefusedError
        The model can't be converted, or what was made can't be run.
    EnvironmentProblemError
        A library is missing, memory or time ran out, or the process crashed.
    """
    kind = formats.KINDS[request.format]
    does = f"convert it to {kind.title}"
    if answer is protocol.Ran:
        does = f"run it with {kind.runtime}"
    with temporary.usable():
        (folder / protocol.RESULT).unlink(missing_ok=True)
        (folder / protocol.REQUEST).write_bytes(msgspec.json.encode(request))
        output = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
    with output:
        code = _run(program, folder, output, seconds)
        if code is None:
            raise EnvironmentProblemError(
                name,
                expected=f"a process that needs at most {seconds:.0f} s to {does}",
                found="it was not done by then, and was ended",
                remedy="Rerun on a machine that is less busy.",
                reason="time-limit",
            )
        if code:
            raise _died(name, does, code, output)
    found = msgspec.json.decode((folder / protocol.RESULT).read_bytes(), type=protocol.Result)
    if isinstance(found, protocol.Failed):
        raise _failed(name, does, request.format, found)
    if not isinstance(found, answer):
        raise TypeError(f"{program} answered {found}")
    return found


def _run(program: str, folder: Path, output: IO[bytes], seconds: float) -> int | None:
    """Run a program in a folder, and return its exit code; ``None`` after this many seconds."""
    boot = f"from {program} import main\nmain()\n"
    process = child_process.start(boot, folder, stdout=output, stderr=output)
    try:
        return process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return None
    finally:
        child_process.end(process)


def _failed(name: str, does: str, chosen: Format, failure: protocol.Failed) -> MnistTasksError:
    found = sanitize(failure.found, limit=300)
    if failure.cause == "library":
        library = failure.library
        if library in formats.KINDS[chosen].modules:
            return formats.missing(chosen, library, f"its import failed: {found}")
        return install.broken_library(sanitize(library), found=found, is_missing=False)
    if failure.cause == "room":
        return EnvironmentProblemError(
            name,
            found=f"out of memory or disk space: {found}",
            remedy="Free memory and disk space, then rerun.",
        )
    return InputRefusedError(
        name,
        expected=f"a model of which it is possible to {does}",
        found=found,
        remedy="Export it to another --format, or replace the layer that can't be converted.",
        reason="export-failed",
    )


def _died(name: str, does: str, code: int, output: IO[bytes]) -> EnvironmentProblemError:
    ended_by = signal.Signals(-code).name if -code in set(signal.Signals) else str(code)
    last = child_errors.last_line(output)
    was_killed = ended_by == "SIGKILL"
    return EnvironmentProblemError(
        name,
        expected=f"a process that can {does}",
        found=f"it ended with {ended_by}" + (f" ({last})" if last else ""),
        remedy="Free memory, or give the container more, then rerun."
        if was_killed
        else "Export it to another --format.",
        reason="process-killed" if was_killed else "process-died",
    )
