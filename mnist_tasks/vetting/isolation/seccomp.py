"""Refuse system calls for good, with a filter that the Linux kernel runs (seccomp).

The filter refuses what reaches beyond this process and is not needed to vet or run a model; what it
does not name stays allowed, so that another version of TensorFlow or libc still works. See
seccomp(2), and Documentation/userspace-api/seccomp_filter.rst of the kernel.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys

from mnist_tasks.vetting.isolation import linux, system_calls

_CLONE_THREAD = 0x10000
_O_TRUNC = 0x200
_FILTER_MODE = 2
_ALLOW, _KILL, _ERROR = 0x7FFF0000, 0x80000000, 0x00050000
_REFUSE, _UNKNOWN = _ERROR | errno.EPERM, _ERROR | errno.ENOSYS
_LOAD, _EQUAL, _GREATER, _HAS_BIT, _RETURN = 0x20, 0x15, 0x25, 0x45, 0x06
# Offsets in struct seccomp_data: number, architecture, low halves of the arguments.
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, (16, 24, 32)

_MACHINES = {"x86_64": 0, "aarch64": 1}
_AUDIT_NUMBERS = (0xC000003E, 0xC00000B7)


def restrict(*, may_truncate: bool = True) -> None:
    """Install the filter in this thread and in those that it starts.

    Parameters
    ----------
    may_truncate
        Whether a file may be emptied while it is opened, in any folder.

    Raises
    ------
    OSError
        The kernel refuses filters, or has none (see `linux.is_missing`) for this processor.
    """
    machine = _MACHINES.get(os.uname().machine) if sys.maxsize > 2**32 else None
    if machine is None:
        raise OSError(errno.ENOSYS, f"no filter for {os.uname().machine}")
    install(program(machine, os.getpid(), may_truncate=may_truncate))


def install(code: bytes) -> None:
    """Add a filter, given as BPF instructions, to this thread and those that it starts."""
    instructions = ctypes.create_string_buffer(code, len(code))
    # struct sock_fprog: the number of instructions and their address
    pointer = struct.pack("HL", len(code) // 8, ctypes.addressof(instructions))
    linux.prctl(linux.PR_SET_SECCOMP, _FILTER_MODE, ctypes.create_string_buffer(pointer))


def program(machine: int, process: int, *, may_truncate: bool = True) -> bytes:
    """Return the filter for x86-64 (0) or AArch64 (1) and a process id, as BPF instructions."""
    steps = [
        _step(_LOAD, _ARCHITECTURE),
        _step(_EQUAL, _AUDIT_NUMBERS[machine], 1, 0),
        _step(_RETURN, _KILL),
        _step(_LOAD, _NUMBER),
        *_returns(_GREATER, system_calls.HIGHEST, _UNKNOWN),
        # libc then starts its threads with clone, whose flags a filter can read
        *_returns(_EQUAL, system_calls.CLONE3, _UNKNOWN),
    ]
    for numbers in system_calls.REFUSED.values():
        steps += _block(numbers[machine], [_step(_RETURN, _REFUSE)])
    clone = _returns(_HAS_BIT, _CLONE_THREAD, _ALLOW)
    steps += _argument(system_calls.CLONE[machine], 0, clone, _REFUSE)
    for name, numbers in system_calls.OWN_PROCESS.items():
        own = [process, *([0] if name in system_calls.ZERO_IS_OWN else [])]
        allowed = [step for value in own for step in _returns(_EQUAL, value, _ALLOW)]
        steps += _argument(numbers[machine], 0, allowed, _REFUSE)
    for numbers, place, values in system_calls.REFUSED_VALUES.values():
        refused = [step for value in values for step in _returns(_EQUAL, value, _REFUSE)]
        steps += _argument(numbers[machine], place, refused, _ALLOW)
    if not may_truncate:
        steps += _returns(_EQUAL, system_calls.OPENAT2, _UNKNOWN)
        steps += _block(system_calls.CREAT[machine], [_step(_RETURN, _REFUSE)])
        truncates = _returns(_HAS_BIT, _O_TRUNC, _REFUSE)
        for numbers, place in system_calls.OPEN.values():
            steps += _argument(numbers[machine], place, truncates, _ALLOW)
    return b"".join([*steps, _step(_RETURN, _ALLOW)])


def _argument(number: int | None, place: int, tests: list[bytes], otherwise: int) -> list[bytes]:
    """Decide one system call by an argument: the first test that returns, or `otherwise`."""
    load = _step(_LOAD, _ARGUMENTS[place])
    return _block(number, [load, *tests, _step(_RETURN, otherwise)])


def _returns(test: int, value: int, result: int) -> list[bytes]:
    """Return `result` if the loaded word passes a test."""
    return [_step(test, value, 0, 1), _step(_RETURN, result)]


def _block(number: int | None, steps: list[bytes]) -> list[bytes]:
    """Run steps, which end the filter, only for one system call."""
    return [] if number is None else [_step(_EQUAL, number, 0, len(steps)), *steps]


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("HBBI", code, if_true, if_false, value)
