"""Import TensorFlow in a separate process, because a broken one can crash the process it runs in.

The process imports modules from the same folders as this one.
"""

from __future__ import annotations

import atexit
import json
import re
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import msgspec

from mnist_tasks import install, resource_limits
from mnist_tasks.environment.builds import module_path
from mnist_tasks.environment.diagnosis import Finding
from mnist_tasks.errors import EnvironmentProblemError, printable

TIMEOUT = 60.0  # seconds: the first import from a cold disk is slow
_BOOT = """
import json, sys
sys.path[:] = json.loads(sys.argv.pop())
from mnist_tasks.environment.probe_main import main
main()
"""
_PREFIX = re.compile(r"^[IWEF]\d{4} [\d:.]+ +\d+ ")  # severity, date, time, thread
_ABOUT_GPUS = re.compile(r"cuda|cudnn|gpu|nvidia|dlopen|libcu|dso_loader|driver", re.IGNORECASE)
_NOT_LOADED = re.compile(
    r"Could not load dynamic library '([\w.-]+)'; dlerror: ([^;]+)"
    r"|(lib[\w.+-]+\.so[\w.]*): (cannot open shared object[^;]*)"
)
_NOT_DONE = "not done after"
_REMEDIES = {
    "SIGILL": "This build needs processor instructions (AVX) that this machine lacks: use another "
    "machine, or a build for this one.",
    "SIGKILL": "The system probably ran out of memory: free some.",
}


@dataclass(frozen=True, kw_only=True)
class Library:
    """A CUDA library: the file it was loaded from, or why it can't be loaded."""

    name: str
    path: str | None
    error: str | None


@dataclass(frozen=True, kw_only=True)
class ProbeResult:
    """What TensorFlow reported; ``None`` for what is missing because it failed earlier.

    Attributes
    ----------
    failure, signal
        Why the process stopped early, and the signal that ended it.
    messages
        TensorFlow's messages about GPUs, and its last ones if the process failed.
    """

    seconds: float | None = None
    tensorflow: str | None = None
    keras: str | None = None
    module: str | None = None
    cuda_build: bool | None = None
    cuda: str | None = None
    cudnn: str | None = None
    gpus: tuple[str, ...] | None = None
    libraries: tuple[Library, ...] = ()
    failure: str | None = None
    signal: str | None = None
    messages: tuple[str, ...] = ()


def probe(timeout: float = TIMEOUT) -> ProbeResult:
    """Import TensorFlow in another process and list its GPUs, within `timeout` seconds."""
    failure = ended_by = None
    command = [sys.executable, "-c", _BOOT, json.dumps(sys.path)]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        # Ctrl-C ends a daemon thread that waits here without unwinding it.
        end = partial(_end, process)
        atexit.register(end)
        try:
            stdout, stderr = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            stdout, stderr = process.communicate()
            failure = f"{_NOT_DONE} {timeout:g} s"
        atexit.unregister(end)
    if failure is None and process.returncode:
        with suppress(ValueError):
            ended_by = signal.Signals(-process.returncode).name
        failure = f"the process ended with {ended_by or f'exit code {process.returncode}'}"
    reported = _parse(stdout)
    failure = reported.failure or failure
    lines = [
        printable(_PREFIX.sub("", line), limit=300)
        for line in stderr.decode(errors="replace").splitlines()
        if line.strip()
    ]
    messages = [line for line in lines if _ABOUT_GPUS.search(line)]
    return replace(
        reported,
        libraries=reported.libraries + _not_loaded(messages, reported.libraries),
        failure=printable(failure, limit=300) if failure else None,
        signal=ended_by,
        messages=tuple(dict.fromkeys(messages + (lines[-5:] if failure else []))),
    )


def finding(result: ProbeResult, package: str = "tensorflow") -> Finding:
    """Report which TensorFlow was imported, or why the import failed.

    `package` is what to reinstall if it is broken; another package would break it further.
    """
    make = partial(Finding, topic="TensorFlow", name="import", facts=asdict(result))
    if result.gpus is not None:
        kind = "CPU build"
        if result.cuda_build:
            kind = f"CUDA build (CUDA {result.cuda}, cuDNN {result.cudnn})"
        return make(
            found=f"TensorFlow {result.tensorflow}, {kind}; Keras {result.keras}; "
            f"{result.seconds:.1f} s"
        )
    try:
        resource_limits.require_for_tensorflow(threads=1)
    except EnvironmentProblemError as error:
        found = f"can't be imported: {error.found}, where it needs {error.expected}"
        return make(status="error", found=found, remedy=error.remedy, details=())
    stage = "can't be imported" if result.tensorflow is None else "can't list its devices"
    command = f"`python -m pip install --force-reinstall {package}`"
    reinstall = f"{command}; it is imported from {module_path()}."
    remedy = f"Run {reinstall}"
    if result.failure and result.failure.startswith("ModuleNotFoundError"):
        remedy = f"Run {install.command()}."
    elif result.failure and result.failure.startswith(_NOT_DONE):
        slow = "Rerun with a higher --timeout: the machine may be slow or busy"
        remedy = f"{slow}. If that is no help, run {reinstall}"
    return make(
        status="error",
        found=f"{stage}: {result.failure or 'no reason given'}",
        remedy=_REMEDIES.get(result.signal or "", remedy),
        details=result.messages[-3:],
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=5)


def _parse(stdout: bytes) -> ProbeResult:
    """Merge the JSON lines; the last may be cut off, and a library may have written others."""
    merged: dict[str, Any] = {}
    for line in stdout.splitlines():
        with suppress(ValueError, TypeError):
            merged.update(json.loads(line))
    return msgspec.convert(merged, ProbeResult)


def _not_loaded(messages: list[str], known: tuple[Library, ...]) -> tuple[Library, ...]:
    """Return the other libraries that TensorFlow reports as not loaded."""
    names = {library.name for library in known}
    found: dict[str, str] = {}
    for match in filter(None, map(_NOT_LOADED.search, messages)):
        found.setdefault(match[1] or match[3], match[2] or match[4])
    return tuple(
        Library(name=name, path=None, error=error)
        for name, error in found.items()
        if name not in names
    )
