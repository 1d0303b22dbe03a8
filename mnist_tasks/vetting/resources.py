"""Limit what this process may use of the machine, for good: memory, CPU time, sizes of files."""

from __future__ import annotations

import errno
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
        "RLIMIT_CPU": (limits.cpu_seconds, limits.cpu_seconds + 5),
        "RLIMIT_FSIZE": (_LARGEST_FILE, _LARGEST_FILE),
        "RLIMIT_CORE": (0, 0),
        "RLIMIT_NOFILE": (_MOST_FILES, _MOST_FILES),  # pipes and files in memory, too
    }
    return [name for name, (soft, hard) in wanted.items() if not _set_limit(name, soft, hard)]


def raise_memory_limit(limits: Limits) -> None:
    """Allow the memory that TensorFlow needs, once the static check is over."""
    _set_limit("RLIMIT_AS", limits.memory_bytes, limits.memory_bytes)


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
