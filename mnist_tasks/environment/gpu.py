"""The NVIDIA GPUs of the machine, as its driver and its system show them, without TensorFlow."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mnist_tasks.environment.diagnosis import Finding
from mnist_tasks.errors import printable

if TYPE_CHECKING:
    from mnist_tasks.environment.diagnosis import Status

TIMEOUT = 10.0  # seconds: a driver that hangs is a finding too
WSL_FOLDER = "usr/lib/wsl/lib"
NVIDIA, DISPLAY = "0x10de", "0x03"  # vendor and class of a device on the PCI bus
_QUERY = ["--query-gpu=name,memory.total,driver_version", "--format=csv,noheader,nounits"]


@dataclass(frozen=True, kw_only=True)
class Gpu:
    """One GPU; its memory in MiB, where the driver tells."""

    name: str
    memory: int | None = None


@dataclass(frozen=True, kw_only=True)
class Driver:
    """What is known of the machine's GPUs.

    Attributes
    ----------
    gpus
        Those that the driver offers to this process.
    cards
        How many NVIDIA GPUs the system lists; a container lists those of its host too.
    problem
        Why the driver could not be asked, in its own words.
    """

    version: str | None = None
    gpus: tuple[Gpu, ...] = ()
    cards: int = 0
    problem: str | None = None


def look(root: Path = Path("/")) -> Driver:
    """Ask the driver's program for the GPUs, and where that fails the system."""
    version = None
    with suppress(OSError):
        text = (root / "proc/driver/nvidia/version").read_text()
        match = re.search(r"\d+\.\d+(?:\.\d+)?", text)
        version = match[0] if match else None
    gpus, by_program, problem = _ask()
    if not gpus:
        # The nodes are there where this process may use the GPUs, whatever ails the program.
        nodes = len(list((root / "dev").glob("nvidia[0-9]*")))
        models = _models(root)
        gpus = tuple(Gpu(name=models[i] if i < len(models) else "GPU") for i in range(nodes))
    return Driver(
        version=by_program or version,
        gpus=gpus,
        cards=max(len(gpus), _on_bus(root)),
        problem=problem,
    )


def finding(driver: Driver) -> Finding:
    """Say which GPUs there are. None is fine; one that nothing can use is worth a warning."""
    status, found, remedy = _judge(driver)
    return Finding(
        topic="GPU",
        name="NVIDIA GPU",
        status=status,
        found=found,
        remedy=remedy,
        facts={
            "gpus": driver.gpus,
            "driver": driver.version,
            "cards": driver.cards,
            "problem": driver.problem,
        },
    )


def _judge(driver: Driver) -> tuple[Status, str, str | None]:
    if driver.gpus:
        names = ", ".join(_shown(gpu) for gpu in driver.gpus)
        found = f"{names}; driver {driver.version or 'of unknown version'}"
        if driver.problem is None:
            return "ok", found, None
        return (
            "warning",
            f"{found}; nvidia-smi: {driver.problem}",
            "Load the driver anew or restart the machine, so that driver and libraries agree.",
        )
    if not driver.cards:
        return "ok", "none here, and none is needed: the CPU does the work", None
    if driver.version:
        return (
            "warning",
            f"{driver.cards} on this machine, with driver {driver.version}, but out of reach here",
            "In a container: start it with its GPUs (`--gpus all`), or let the CPU do the work.",
        )
    return (
        "warning",
        f"{driver.cards} on this machine, without NVIDIA's driver",
        "Install the driver, or let the CPU do the work.",
    )


def _shown(gpu: Gpu) -> str:
    return gpu.name if gpu.memory is None else f"{gpu.name} ({gpu.memory / 1024:.1f} GiB)"


def _ask() -> tuple[tuple[Gpu, ...], str | None, str | None]:
    """Return what ``nvidia-smi`` lists, the driver's version, and its complaint."""
    program = shutil.which("nvidia-smi") or shutil.which(f"/{WSL_FOLDER}/nvidia-smi")
    if program is None:
        return (), None, None
    try:
        done = subprocess.run(
            [program, *_QUERY],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return (), None, f"no answer within {TIMEOUT:g} s"
    except OSError as error:
        return (), None, error.strerror
    rows = [[part.strip() for part in line.split(",")] for line in done.stdout.splitlines()]
    rows = [row for row in rows if len(row) == 3]
    if done.returncode or not rows:
        why = printable(done.stdout or done.stderr) or f"exit code {done.returncode}"
        return (), None, why
    gpus = tuple(
        Gpu(name=printable(name), memory=int(memory) if memory.isdigit() else None)
        for name, memory, _ in rows
    )
    return gpus, printable(rows[0][2]), None


def _models(root: Path) -> list[str]:
    found = []
    for path in sorted((root / "proc/driver/nvidia/gpus").glob("*/information")):
        with suppress(OSError):
            match = re.search(r"Model:\s*(.+)", path.read_text())
            found.append(printable(match[1]) if match else "GPU")
    return found


def _on_bus(root: Path) -> int:
    count = 0
    for device in (root / "sys/bus/pci/devices").glob("*"):
        with suppress(OSError):
            vendor = (device / "vendor").read_text().strip()
            kind = (device / "class").read_text().strip()
            count += vendor == NVIDIA and kind.startswith(DISPLAY)
    return count


def hidden() -> str | None:
    """Return what the user set to hide GPUs, where that is so."""
    value = os.environ.get("CUDA_VISIBLE_DEVICES")
    return value if value is not None and value.split(",")[0].strip() in ("", "-1") else None
