"""The machine under the workflow: its Python, its platform, its cores and its memory."""

from __future__ import annotations

import os
import platform
import re
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mnist_tasks import cgroups
from mnist_tasks.config import available_cores
from mnist_tasks.environment import requirements
from mnist_tasks.environment.diagnosis import Finding

GIB = 1 << 30
# A training was measured at 0.66 GiB and a check at 0.58 (benchmarks/README.md).
LITTLE_MEMORY = GIB


@dataclass(frozen=True, kw_only=True)
class Memory:
    """Bytes of memory; ``None`` where the system does not tell.

    Attributes
    ----------
    limit
        The lowest that a cgroup of this process allows, where that is below the total.
    """

    total: int | None
    available: int | None
    limit: int | None


def python() -> Finding:
    """Say which Python runs this, and whether it is one that is supported."""
    version = platform.python_version()
    supported = requirements.python()
    is_virtual = sys.prefix != sys.base_prefix
    kind = "virtual environment" if is_virtual else "no virtual environment"
    good = requirements.satisfies(version, supported)
    return Finding(
        topic="machine",
        name="Python",
        found=f"{version}, {kind}" + ("" if good else f"; supported is {supported}"),
        status="ok" if good else "fault",
        remedy=None if good else "Make an environment with a supported Python and install there.",
        details=(sys.executable,),
        facts={
            "version": version,
            "executable": sys.executable,
            "virtual_environment": is_virtual,
            "supported": supported,
        },
    )


def system() -> Finding:
    """Say which system and processor these are."""
    libc = " ".join(part for part in platform.libc_ver() if part)
    parts = [f"{platform.system()} {platform.release()}", platform.machine(), libc]
    return Finding(
        topic="machine",
        name="platform",
        found=", ".join(part for part in parts if part),
        facts={"system": platform.system(), "machine": platform.machine(), "libc": libc},
    )


def cores() -> Finding:
    """Say how many cores this process may use, of how many there are."""
    usable, there = available_cores(), os.cpu_count() or 1
    found = str(usable) if usable == there else f"{usable} of {there} (affinity, cgroup)"
    return Finding(
        topic="machine", name="cores", found=found, facts={"usable": usable, "there": there}
    )


def memory(found: Memory) -> Finding:
    """Say how much memory there is, and warn where a training may not find enough."""
    facts = {"total": found.total, "available": found.available, "limit": found.limit}
    if found.total is None:
        return Finding(topic="machine", name="memory", found="not told here", facts=facts)
    shown = f"{found.total / GIB:.1f} GiB"
    if found.available is not None:
        shown += f", {found.available / GIB:.1f} GiB available"
    if found.limit is not None:
        shown += f", limited to {found.limit / GIB:.1f} GiB (cgroup)"
    usable = min(
        number for number in (found.total, found.available, found.limit) if number is not None
    )
    good = usable >= LITTLE_MEMORY
    return Finding(
        topic="machine",
        name="memory",
        found=shown,
        status="ok" if good else "warning",
        remedy=None if good else "Make room for the 0.7 GiB that a training takes.",
        facts=facts,
    )


def measure_memory(root: Path = Path("/")) -> Memory:
    """Ask the system for its memory, and the cgroups for their limit."""
    sizes: dict[str, int] = {}
    with suppress(OSError):
        text = (root / "proc/meminfo").read_text()
        sizes = {name: int(kib) * 1024 for name, kib in re.findall(r"(\w+):\s+(\d+) kB", text)}
    total = sizes.get("MemTotal")
    if total is None:
        with suppress(AttributeError, OSError, ValueError):  # macOS has the first, Windows neither
            total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limit = cgroups.memory_limit(root)
    if limit is not None and total is not None and limit >= total:
        limit = None
    return Memory(total=total, available=sizes.get("MemAvailable"), limit=limit)
