"""What the machine has to give, as far as its system tells."""

from __future__ import annotations

import os
from pathlib import Path

_MEMORY = Path("/proc/meminfo")
_GROUP = Path("/sys/fs/cgroup")


def available_memory() -> int | None:
    """Return how many bytes can still be taken: of the machine, or of its control group.

    ``None`` where the system doesn't tell.
    """
    free = _of_machine()
    group = _of_group()
    known = [each for each in (free, group) if each is not None]
    return min(known) if known else None


def _of_machine() -> int | None:
    try:
        lines = dict(line.split(":", 1) for line in _MEMORY.read_text().splitlines())
        return int(lines["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (AttributeError, ValueError, OSError):
        return None


def _of_group() -> int | None:
    try:
        most = int((_GROUP / "memory.max").read_text())
        return most - int((_GROUP / "memory.current").read_text())
    except (OSError, ValueError):  # no group, or one without a limit: "max"
        return None
