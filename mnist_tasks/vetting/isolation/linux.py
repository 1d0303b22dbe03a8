"""Calls of the Linux kernel that Python has no function for."""

from __future__ import annotations

import ctypes
import errno
import os
from functools import cache
from pathlib import Path

PR_SET_DUMPABLE = 4
PR_SET_SECCOMP = 22
PR_CAPBSET_DROP = 24
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 47, 4
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000

# What the kernel answers if it was built or started without a feature, and not for other reasons.
_MISSING = (errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)


def prctl(option: int, *arguments: int | ctypes.Array[ctypes.c_char]) -> None:
    """Change this thread; raise OSError if the kernel refuses."""
    values = [*arguments, 0, 0, 0, 0][:4]
    _call("prctl", ctypes.c_int(option), *map(_argument, values))


def unshare(flags: int) -> None:
    """Move this process to new namespaces; raise OSError if the kernel refuses."""
    _call("unshare", ctypes.c_int(flags))


def capset(header: ctypes.Array[ctypes.c_char], data: ctypes.Array[ctypes.c_char]) -> None:
    """Set this thread's capabilities; raise OSError if the kernel refuses."""
    _call("capset", header, data)


def syscall(number: int, *arguments: int | ctypes.Array[ctypes.c_char] | None) -> int:
    """Call the kernel by number and return its answer; raise OSError if it refuses."""
    return _call("syscall", ctypes.c_long(number), *map(_argument, arguments))


def is_missing(error: OSError) -> bool:
    """Return whether the kernel lacks a feature, as opposed to refusing it."""
    return error.errno in _MISSING


def thread_count() -> int:
    """Return the number of threads of this process."""
    return len(list(Path("/proc/self/task").iterdir()))


def status() -> dict[str, str]:
    """Return what the kernel says about this process, such as ``CapEff``."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8", errors="replace").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _argument(value: int | ctypes.Array[ctypes.c_char] | None) -> object:
    # Without a type, ctypes passes an integer as 32 bits and leaves the rest undefined.
    return ctypes.c_long(value) if isinstance(value, int) else value


def _call(name: str, *arguments: object) -> int:
    function = getattr(_libc(), name)
    function.restype = ctypes.c_long if name == "syscall" else ctypes.c_int
    result: int = function(*arguments)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), name)
    return result
