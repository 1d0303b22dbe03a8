"""The machine's NVIDIA GPUs, as the driver and the system list them, without TensorFlow."""

from __future__ import annotations

import re
import shutil
import subprocess
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from mnist_tasks.environment.diagnosis import Finding
from mnist_tasks.errors import printable

TIMEOUT = 10.0  # seconds: a hanging driver is a finding, too
WSL_PROGRAM = "/usr/lib/wsl/lib/nvidia-smi"
NVIDIA, DISPLAY = "0x10de", "0x03"  # vendor and class of a PCI device
_QUERY = ["--query-gpu=name,memory.total,driver_version", "--format=csv,noheader,nounits"]


@dataclass(frozen=True, kw_only=True)
class Gpu:
    """One GPU, with its memory in MiB if the driver reports it."""

    name: str
    memory: int | None = None

    def __str__(self) -> str:
        return self.name if self.memory is None else f"{self.name} ({self.memory / 1024:.1f} GiB)"


@dataclass(frozen=True, kw_only=True)
class Driver:
    """The GPUs of the machine and their driver.

    Attributes
    ----------
    gpus
        The GPUs that this process can use.
    cards
        How many NVIDIA GPUs the system lists; a container lists those of its host, too.
    problem
        Why ``nvidia-smi`` failed, in its own words.
    """

    version: str | None = None
    gpus: tuple[Gpu, ...] = ()
    cards: int = 0
    problem: str | None = None


def detect(root: Path = Path("/")) -> Driver:
    """Return the GPUs that ``nvidia-smi`` lists, or if it fails, those in the system's files."""
    gpus, version, problem = _query()
    if not gpus:
        # This process may use the GPUs that have a device node, even if nvidia-smi fails.
        nodes = len(list((root / "dev").glob("nvidia[0-9]*")))
        models = root / "proc/driver/nvidia/gpus"
        names = [
            match[1] if (match := re.search(r"Model:\s*(.+)", text)) else "GPU"
            for path in sorted(models.glob("*/information"))
            if (text := _read(path))
        ]
        names += ["GPU"] * nodes
        gpus = tuple(Gpu(name=printable(name)) for name in names[:nodes])
    if not version:
        match = re.search(r"\d+\.\d+(?:\.\d+)?", _read(root / "proc/driver/nvidia/version"))
        version = match[0] if match else None
    on_bus = sum(
        _read(device / "vendor") == NVIDIA and _read(device / "class").startswith(DISPLAY)
        for device in (root / "sys/bus/pci/devices").glob("*")
    )
    return Driver(version=version, gpus=gpus, cards=max(len(gpus), on_bus), problem=problem)


def finding(driver: Driver) -> Finding:
    """Report the GPUs. Having none is fine; having an unusable one is a warning."""
    make = partial(Finding, topic="GPU", name="NVIDIA GPU", facts=asdict(driver))
    if driver.gpus:
        found = f"{', '.join(map(str, driver.gpus))}; driver {driver.version or 'unknown'}"
        if driver.problem is None:
            return make(found=found)
        found = f"{found}; nvidia-smi: {driver.problem}"
        remedy = "Reload the driver or restart, so that the driver matches its libraries."
    elif not driver.cards:
        return make(found="none, and none is needed")
    elif driver.version:
        found = f"{driver.cards} on this machine with driver {driver.version}, but not accessible"
        remedy = "In a container: start it with its GPUs (`--gpus all`), or train on the CPU."
    else:
        found = f"{driver.cards} on this machine, without NVIDIA's driver"
        remedy = "Install the driver, or train on the CPU."
    return make(status="warning", found=found, remedy=remedy)


def _query() -> tuple[tuple[Gpu, ...], str | None, str | None]:
    """Return the GPUs that ``nvidia-smi`` lists, the driver's version, and why it failed."""
    program = shutil.which("nvidia-smi") or shutil.which(WSL_PROGRAM)
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
        return (), None, printable(done.stdout or done.stderr) or f"exit code {done.returncode}"
    gpus = tuple(
        Gpu(name=printable(name), memory=int(memory) if memory.isdigit() else None)
        for name, memory, _ in rows
    )
    return gpus, printable(rows[0][2]), None


def _read(path: Path) -> str:
    """Return the text of a system file, or nothing if it can't be read."""
    with suppress(OSError):
        return path.read_text().strip()
    return ""
