"""Limit the child process for good: its memory, CPU time, file sizes and network."""

from __future__ import annotations

import contextlib
import ctypes
import sys
from importlib import import_module
from typing import Any

from mnist_tasks.vetting.limits import Limits

try:
    resource: Any = import_module("resource")
except ImportError:  # Windows has no such limits; the wall-clock limits still apply
    resource = None

_PR_SET_NO_NEW_PRIVS = 38
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_LARGEST_FILE = 1024**2


def confine(limits: Limits) -> None:
    """Confine this process as far as the system can; call it before anything else runs."""
    _set_limit("RLIMIT_AS", limits.vet_memory_bytes, limits.memory_bytes)
    _set_limit("RLIMIT_CPU", limits.cpu_seconds, limits.cpu_seconds + 5)
    _set_limit("RLIMIT_FSIZE", _LARGEST_FILE, _LARGEST_FILE)
    _set_limit("RLIMIT_CORE", 0, 0)
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            libc = ctypes.CDLL(None, use_errno=True)
            libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
            # Without root, leaving the network requires a user namespace, if the system allows one.
            if libc.unshare(_CLONE_NEWNET):
                libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)


def raise_memory_limit(limits: Limits) -> None:
    """Allow the memory that TensorFlow needs, once the static check is over."""
    _set_limit("RLIMIT_AS", limits.memory_bytes, limits.memory_bytes)


def _set_limit(name: str, soft: int, hard: int) -> None:
    if resource is None:
        return
    with contextlib.suppress(OSError, ValueError, AttributeError):
        kind = getattr(resource, name)
        ceiling = resource.getrlimit(kind)[1]
        if ceiling != resource.RLIM_INFINITY:
            soft, hard = min(soft, ceiling), min(hard, ceiling)
        resource.setrlimit(kind, (soft, hard))
