"""Give up this process's capabilities for good, and the ways to gain others."""

from __future__ import annotations

import contextlib
import ctypes
import os
import struct
import sys

from mnist_tasks.vetting.isolation import linux

_VERSION_3 = 0x20080522  # linux/capability.h
_READ_SEARCH = 1 << 2  # CAP_DAC_READ_SEARCH
_HIGHEST_CAPABILITY = 63


def drop() -> None:
    """Drop every capability, also those that a program started by root would get.

    One is kept where Python can't be read without it, such as by root in a user's home:
    CAP_DAC_READ_SEARCH.

    Raises
    ------
    OSError
        The kernel refuses.
    """
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    for capability in range(_HIGHEST_CAPABILITY + 1):
        # An ordinary user may not do this, and has nothing to lose by it.
        with contextlib.suppress(OSError):
            linux.prctl(linux.PR_CAPBSET_DROP, capability)
    with contextlib.suppress(OSError):
        linux.prctl(linux.PR_CAP_AMBIENT, linux.PR_CAP_AMBIENT_CLEAR_ALL)
    permitted = int(linux.status()["CapPrm"], 16)
    kept = 0
    if permitted & _READ_SEARCH:
        existing = [path for path in sys.path if _is_readable(path)]
        _set(0, permitted & _READ_SEARCH)
        kept = 0 if all(map(_is_readable, existing)) else _READ_SEARCH
    _set(kept, kept)


def _is_readable(folder: str) -> bool:
    try:
        os.close(os.open(f"{folder}/.", os.O_RDONLY | os.O_CLOEXEC))
    except OSError:
        return False
    return True


def _set(effective: int, permitted: int) -> None:
    low, high = [
        [bits >> shift & 0xFFFFFFFF for bits in (effective, permitted)] for shift in (0, 32)
    ]
    header = ctypes.create_string_buffer(struct.pack("=Ii", _VERSION_3, 0))
    linux.capset(header, ctypes.create_string_buffer(struct.pack("=6I", *low, 0, *high, 0)))
