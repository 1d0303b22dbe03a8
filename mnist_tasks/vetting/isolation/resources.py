"""Limit what this process may use of the machine, for good: memory, CPU time, sizes of files."""

from __future__ import annotations

import errno
import math
import time
from importlib import import_module
from typing import Any

from mnist_tasks.vetting.limits import Limits

try:
    resource: Any = import_module("resource")
except ImportError:  # Windows has no such limits; the wall-clock limits still apply
    resource = None

_LARGEST_FILE = 1024**2
_MOST_FILES = 256
_MOST_THREADS = 512
_MOST_CPU_SECONDS = 3600  # of any model that the user allows more


def limit(limits: Limits) -> list[str]:
    """Set the limits for the static check, and return the names of those that the system refused.

    Raises
    ------
    OSError
        The system has no such limits.
    """
    if resource is None:
        raise OSError(errno.ENOSYS, "this system has no such limits")
    wanted = {
        "RLIMIT_AS": (limits.vet_memory_bytes, limits.memory_bytes),
        "RLIMIT_CPU": (limits.vet_cpu_seconds, _MOST_CPU_SECONDS),
        "RLIMIT_FSIZE": (_LARGEST_FILE, _LARGEST_FILE),
        "RLIMIT_CORE": (0, 0),
        "RLIMIT_NOFILE": (_MOST_FILES, _MOST_FILES),  # pipes and files in memory, too
    }
    return [name for name, (soft, hard) in wanted.items() if not _set_limit(name, soft, hard)]


def raise_limits(limits: Limits) -> None:
    """Allow the memory and time to import TensorFlow, once the static check is over."""
    _set_limit("RLIMIT_AS", limits.memory_bytes, limits.memory_bytes)
    limit_cpu(time.process_time() + limits.import_cpu_seconds)


def limit_cpu(seconds: float) -> None:
    """Limit the processor time that this process may take since its start."""
    _set_limit("RLIMIT_CPU", math.ceil(seconds), _MOST_CPU_SECONDS)


def limit_threads() -> None:
    """Limit the threads of a process in a user namespace of its own; root has no such limit."""
    _set_limit("RLIMIT_NPROC", _MOST_THREADS, _MOST_THREADS)


def _set_limit(name: str, soft: int, hard: int) -> bool:
    try:
        kind = getattr(resource, name)
        ceiling = resource.getrlimit(kind)[1]
        if ceiling != resource.RLIM_INFINITY:
            soft, hard = min(soft, ceiling), min(hard, ceiling)
        resource.setrlimit(kind, (soft, hard))
    except (OSError, ValueError, AttributeError):
        return False
    return True
