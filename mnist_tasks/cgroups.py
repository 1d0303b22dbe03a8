"""What the control groups of Linux allow this process: the limits of containers and services."""

from __future__ import annotations

import math
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

UNLIMITED = 1 << 60  # version 1 writes a number of this size where memory is not limited
_ROOT = Path("/")


def memory(root: Path = _ROOT) -> int | None:
    """Return the lowest limit in bytes, of this process's group and of those above it."""
    found = []
    for folder, version in _groups("memory", root):
        name = "memory.max" if version == 2 else "memory.limit_in_bytes"
        with suppress(OSError, ValueError):  # no such file, or `max`
            found.append(int((folder / name).read_text()))
    return min((limit for limit in found if limit < UNLIMITED), default=None)


def cores(root: Path = _ROOT) -> int | None:
    """Return how many cores' time the lowest limit allows, rounded up."""
    found = []
    for folder, version in _groups("cpu", root):
        names = ("cpu.max",) if version == 2 else ("cpu.cfs_quota_us", "cpu.cfs_period_us")
        with suppress(OSError, ValueError):  # no such file, or `max`
            quota, period = map(
                int, " ".join((folder / name).read_text() for name in names).split()
            )
            if quota > 0 < period:  # -1: not limited
                found.append(math.ceil(quota / period))
    return min(found, default=None)


def _groups(controller: str, root: Path) -> Iterator[tuple[Path, int]]:
    """Yield the folders of this process's group and of those above it, with their version."""
    mount = root / "sys/fs/cgroup"
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for _, controllers, path in (line.split(":", 2) for line in lines if line.count(":") >= 2):
        if not controllers or controller in controllers.split(","):
            top, version = (mount / controller, 1) if controllers else (mount, 2)
            group = top / path.lstrip("/")
            # A container sees its own group as the top, under a path that is not there.
            for folder in (group, *group.parents):
                yield folder, version
                if folder == top:
                    break
