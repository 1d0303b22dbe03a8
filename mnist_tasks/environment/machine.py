"""The machine: its platform, its cores and its memory."""

from __future__ import annotations

import os
import platform
import re
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from mnist_tasks import cgroups, config
from mnist_tasks.environment.diagnosis import Finding
from mnist_tasks.errors import printable

GIB = 1 << 30
# A training of the default recipe takes 0.66 GiB, and a check 0.57 (benchmarks/README.md).
LOW_MEMORY = GIB
PROCESS_BYTES = GIB  # planned for each of several processes, with room for larger models
# What Linux says of an ARM processor in place of a name, and the vector instructions of x86-64, the
# widest first.
_ARM = ("CPU implementer", "CPU part")
_VECTORS = ("amx_tile", "avx512f", "avx2", "avx", "sse4_2")


@dataclass(frozen=True, kw_only=True)
class Memory:
    """Bytes of memory; ``None`` if the system does not report it.

    Attributes
    ----------
    limit
        The lowest limit of this process's cgroups, if it is below the total.
    """

    total: int | None
    available: int | None
    limit: int | None


def system() -> Finding:
    """Report the operating system and the processor's architecture."""
    libc = " ".join(part for part in platform.libc_ver() if part)
    parts = [f"{platform.system()} {platform.release()}", platform.machine(), libc]
    return Finding(
        topic="machine",
        name="platform",
        found=", ".join(part for part in parts if part),
        facts={"system": platform.system(), "machine": platform.machine(), "libc": libc},
    )


def cores() -> Finding:
    """Report how many cores this process may use, and how many there are."""
    usable, total = config.available_cores(), os.cpu_count() or 1
    found = str(usable) if usable == total else f"{usable} of {total} (affinity, cgroup)"
    facts = {"usable": usable, "total": total}
    return Finding(topic="machine", name="cores", found=found, facts=facts)


def processor(root: Path = Path("/")) -> str:
    """Return the processor's model and its widest vector instructions; empty if unknown."""
    facts: dict[str, str] = {}
    with suppress(OSError, UnicodeDecodeError):
        first, *_ = (root / "proc/cpuinfo").read_text().split("\n\n", 1)  # of the first core
        facts = dict(re.findall(r"^([\w ]+?)\s*: (.*)$", first, re.MULTILINE))
    model = [facts[name] for name in ("model name", *_ARM) if name in facts]
    there = facts.get("flags", "").split()
    vectors = [name for name in _VECTORS if name in there][:1]
    return printable(", ".join([*model, *vectors])) or platform.processor()


def memory(found: Memory) -> Finding:
    """Report the memory, with a warning if it may not be enough to train."""
    make = partial(Finding, topic="machine", name="memory", facts=asdict(found))
    if found.total is None:
        return make(found="unknown on this system")
    shown = f"{found.total / GIB:.1f} GiB"
    if found.available is not None:
        shown += f", {found.available / GIB:.1f} GiB available"
    if found.limit is not None:
        shown += f", limited to {found.limit / GIB:.1f} GiB (cgroup)"
    if min(each for each in asdict(found).values() if each is not None) >= LOW_MEMORY:
        return make(found=shown)
    return make(status="warning", found=shown, remedy="Free 0.7 GiB, which a training takes.")


def max_processes(*, threads: int = 1) -> int:
    """Return how many trainings or checks fit into the free cores and memory, at least 1.

    Parameters
    ----------
    threads
        Threads of each process.
    """
    found = measure_memory()
    sizes = [size for size in (found.available, found.limit) if size is not None]
    return max(
        1, min([config.available_cores() // threads, *(size // PROCESS_BYTES for size in sizes)])
    )


def measure_memory(root: Path = Path("/")) -> Memory:
    """Return the system's memory and the limit of its cgroups."""
    sizes: dict[str, int] = {}
    with suppress(OSError):
        text = (root / "proc/meminfo").read_text()
        sizes = {name: int(kib) * 1024 for name, kib in re.findall(r"(\w+):\s+(\d+) kB", text)}
    total = sizes.get("MemTotal")
    if total is None:
        with suppress(AttributeError, OSError, ValueError):  # works on macOS, not on Windows
            total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limit = cgroups.memory_limit(root)
    if limit is not None and total is not None and limit >= total:
        limit = None
    return Memory(total=total, available=sizes.get("MemAvailable"), limit=limit)
