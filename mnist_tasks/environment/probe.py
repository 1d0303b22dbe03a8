"""TensorFlow, asked in a process of its own: it may be broken so that its import ends the process.

The process sees the modules that this one would import, from the same folders.
"""

from __future__ import annotations

import atexit
import json
import re
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, fields
from typing import Any

from mnist_tasks import install
from mnist_tasks.environment.builds import module_path
from mnist_tasks.environment.diagnosis import Finding
from mnist_tasks.errors import printable

TIMEOUT = 60.0  # seconds: a first import from a cold disk takes its time
_BOOT = """
import json, sys
sys.path[:] = json.loads(sys.argv.pop())
from mnist_tasks.environment.probe_main import main
main()
"""
_PREFIX = re.compile(r"^[IWEF]\d{4} [\d:.]+ +\d+ ")  # severity, date, time, thread
_ABOUT_GPUS = re.compile(r"cuda|cudnn|gpu|nvidia|dlopen|libcu|dso_loader|driver", re.IGNORECASE)
_NOT_OPENED = re.compile(r"Could not load dynamic library '([\w.-]+)'; dlerror: ([^;]+)")
_REMEDIES = {
    "SIGILL": "This processor lacks instructions (AVX) that the build is made of: take another "
    "machine, or a build for this one.",
    "SIGKILL": "Most likely the system ran out of memory: make room.",
}


@dataclass(frozen=True, kw_only=True)
class Library:
    """A library of CUDA: the file that it was opened from, or why it was not."""

    name: str
    path: str | None
    why: str | None


@dataclass(frozen=True, kw_only=True)
class Probed:
    """What TensorFlow told; ``None`` where it did not come so far.

    Attributes
    ----------
    failure
        Why it told no more.
    messages
        What it said about GPUs, and all of its last words where it failed.
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


def probe(timeout: float = TIMEOUT) -> Probed:
    """Import TensorFlow in a process of its own, which has some seconds for it."""
    failure = ended_by = None
    command = [sys.executable, "-c", _BOOT, json.dumps(sys.path)]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        # Ctrl-C ends the thread that waits here without a word.
        atexit.register(_end, process)
        try:
            output, said = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            output, said = process.communicate()
            failure = f"not done after {timeout:g} s"
    if failure is None and process.returncode:
        ended_by = _signal(process.returncode)
        failure = f"the process ended with {ended_by or f'exit code {process.returncode}'}"
    told = _told(output)
    failure = told.pop("failure", failure)
    lines = [
        printable(_PREFIX.sub("", line), limit=300)
        for line in said.decode(errors="replace").splitlines()
        if line.strip()
    ]
    about = [line for line in lines if _ABOUT_GPUS.search(line)]
    told["libraries"] += _not_opened(about, told["libraries"])
    return Probed(
        **told,
        failure=printable(failure, limit=300) if failure else None,
        signal=ended_by,
        messages=tuple(dict.fromkeys(about + (lines[-5:] if failure else []))),
    )


def finding(probed: Probed, package: str = "tensorflow") -> Finding:
    """Say which TensorFlow it is that can be imported, or why it can't.

    Parameters
    ----------
    package
        What is to be installed again where it is broken: another package would break it more.
    """
    facts = {
        field.name: getattr(probed, field.name)
        for field in fields(Probed)
        if field.name not in ("gpus", "libraries", "messages")
    }
    if probed.tensorflow is None:
        stage = "it can't be imported"
    elif probed.gpus is None:
        stage = "it can't list its devices"
    else:
        kind = "CPU build"
        if probed.cuda_build:
            kind = f"CUDA build (CUDA {probed.cuda}, cuDNN {probed.cudnn})"
        return Finding(
            topic="TensorFlow",
            name="import",
            found=f"TensorFlow {probed.tensorflow}, {kind}; Keras {probed.keras}; "
            f"{probed.seconds:.1f} s",
            facts=facts,
        )
    again = f"`python -m pip install --force-reinstall {package}`"
    remedy = f"Run {again}; it is imported from {module_path()}."
    if probed.failure and probed.failure.startswith("ModuleNotFoundError"):
        remedy = f"Run {install.command()}."
    return Finding(
        topic="TensorFlow",
        name="import",
        status="fault",
        found=f"{stage}: {probed.failure or 'no reason is known'}",
        remedy=_REMEDIES.get(probed.signal or "", remedy),
        details=probed.messages[-3:],
        facts={**facts, "messages": probed.messages},
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=5)


def _told(output: bytes) -> dict[str, Any]:
    """Put the lines together; the last may be cut off, and a library may have written there."""
    told: dict[str, Any] = {}
    for line in output.splitlines():
        with suppress(ValueError, TypeError):
            told.update(json.loads(line))
    known = {field.name for field in fields(Probed)}
    told = {name: value for name, value in told.items() if name in known}
    if "gpus" in told:
        told["gpus"] = tuple(map(str, told["gpus"]))
    told["libraries"] = tuple(Library(**library) for library in told.get("libraries", ()))
    return told


def _not_opened(lines: list[str], known: tuple[Library, ...]) -> tuple[Library, ...]:
    """Return what else TensorFlow says that it could not open."""
    names = {library.name for library in known}
    found = {match[1]: match[2] for line in lines if (match := _NOT_OPENED.search(line))}
    return tuple(
        Library(name=name, path=None, why=why) for name, why in found.items() if name not in names
    )


def _signal(returncode: int) -> str | None:
    with suppress(ValueError):
        return signal.Signals(-returncode).name
    return None
