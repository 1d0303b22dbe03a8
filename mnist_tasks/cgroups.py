"""The limits of this process's Linux control groups, which containers and services set."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

UNLIMITED = 1 << 60  # version 1 reports a number of this size if there is no limit
_ROOT = Path("/")


def memory_limit(root: Path = _ROOT) -> int | None:
    """Return the lowest memory limit, in bytes, of this process's group and its parents."""
    found = []
    for folder, version in _groups("memory", root):
        name = "memory.max" if version == 2 else "memory.limit_in_bytes"
        with suppress(OSError, ValueError):  # no such file, or `max`
            found.append(int((folder / name).read_text()))
    return min((limit for limit in found if limit < UNLIMITED), default=None)


def core_limit(root: Path = _ROOT) -> int | None:
    """Return the lowest CPU limit, in cores, rounded up."""
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
    """Yield the folders of this process's group and of its parents, with their version."""
    mount = root / "sys/fs/cgroup"
    try:
        # Names of groups are bytes, as those of files are.
        lines = os.fsdecode((root / "proc/self/cgroup").read_bytes()).splitlines()
    except OSError:
        return
    for _, controllers, path in (line.split(":", 2) for line in lines if line.count(":") >= 2):
        if not controllers or controller in controllers.split(","):
            top, version = (mount / controller, 1) if controllers else (mount, 2)
            group = top / path.lstrip("/")
            # A container sees its own group as the top, under a path that does not exist.
            for folder in (group, *group.parents):
                yield folder, version
                if folder == top:
                    break
