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

from mnist_tasks.vetting import linux

_CLONE_THREAD = 0x10000
_O_TRUNC = 0x200
_FILTER_MODE = 2
_ALLOW, _KILL, _ERROR = 0x7FFF0000, 0x80000000, 0x00050000
_LOAD, _EQUAL, _GREATER, _HAS_BIT, _RETURN = 0x20, 0x15, 0x25, 0x45, 0x06
# Offsets in struct seccomp_data: number, architecture, low halves of the arguments.
_NUMBER, _ARCHITECTURE, _FIRST, _SECOND, _THIRD = 0, 4, 16, 24, 32

_MACHINES = {"x86_64": 0, "aarch64": 1}
_AUDIT_NUMBERS = (0xC000003E, 0xC00000B7)
# Of Linux 6.5. A filter can't judge a call that is newer; libraries do without it. The numbers of
# the x32 ABI, which are other names for known calls, are higher, too.
_HIGHEST = 451
_CLONE3, _OPENAT2 = 435, 437
_CREAT = 85  # only on x86-64

# The numbers of each call on x86-64 and aarch64; None where there is no such call.
_REFUSED: dict[str, tuple[int | None, int | None]] = {
    # new processes and programs
    "fork": (57, None),
    "vfork": (58, None),
    "execve": (59, 221),
    "execveat": (322, 281),
    # sockets of any family, also the local ones of services; io_uring would get past this filter
    "socket": (41, 198),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    # other processes: their memory, signals and files
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    "kcmp": (312, 272),
    "tkill": (200, 130),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    "setpriority": (141, 140),
    "ioprio_set": (251, 30),
    "shmget": (29, 194),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
    # namespaces, which would bring capabilities back, and other keys to the kernel
    "unshare": (272, 97),
    "setns": (308, 268),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "fanotify_init": (300, 262),
    "open_by_handle_at": (304, 265),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "personality": (135, 92),
    "modify_ldt": (154, None),
    # changes to files that Landlock does not cover
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "chown": (92, None),
    "lchown": (94, None),
    "fchown": (93, 55),
    "fchownat": (260, 54),
    "utime": (132, None),
    "utimes": (235, None),
    "futimesat": (261, None),
    "utimensat": (280, 88),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "truncate": (76, 45),
}
# Calls that are allowed only on this process, which their first argument names.
_OWN_PROCESS = {
    "kill": (62, 129),
    "tgkill": (234, 131),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "prlimit64": (302, 261),
}
_CLONE = (56, 220)
# Calls that open a file, and where their flags are.
_OPEN = {"open": ((2, None), _SECOND), "openat": ((257, 56), _THIRD)}


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
    """Return the filter for x86-64 (0) or aarch64 (1) and a process id, as BPF instructions."""
    refuse, unknown = _ERROR | errno.EPERM, _ERROR | errno.ENOSYS
    steps = [
        _step(_LOAD, _ARCHITECTURE),
        _step(_EQUAL, _AUDIT_NUMBERS[machine], 1, 0),
        _step(_RETURN, _KILL),
        _step(_LOAD, _NUMBER),
        *_returns(_GREATER, _HIGHEST, unknown),
        # libc then starts its threads with clone, whose flags a filter can read
        *_returns(_EQUAL, _CLONE3, unknown),
    ]
    for numbers in _REFUSED.values():
        number = numbers[machine]
        if number is not None:
            steps += _returns(_EQUAL, number, refuse)
    steps += _block(
        _CLONE[machine],
        [_step(_LOAD, _FIRST), *_returns(_HAS_BIT, _CLONE_THREAD, _ALLOW), _step(_RETURN, refuse)],
    )
    for name, numbers in _OWN_PROCESS.items():
        own = [0, process] if name == "prlimit64" else [process]
        allowed = [step for value in own for step in _returns(_EQUAL, value, _ALLOW)]
        steps += _block(numbers[machine], [_step(_LOAD, _FIRST), *allowed, _step(_RETURN, refuse)])
    if not may_truncate:
        steps += [*_returns(_EQUAL, _OPENAT2, unknown), *_opening_without_truncation(machine)]
    return b"".join([*steps, _step(_RETURN, _ALLOW)])


def _opening_without_truncation(machine: int) -> list[bytes]:
    refuse = _ERROR | errno.EPERM
    steps = _returns(_EQUAL, _CREAT, refuse) if machine == 0 else []
    for numbers, flags in _OPEN.values():
        number = numbers[machine]
        if number is not None:
            tests = [_step(_LOAD, flags), *_returns(_HAS_BIT, _O_TRUNC, refuse)]
            steps += _block(number, [*tests, _step(_RETURN, _ALLOW)])
    return steps


def _returns(test: int, value: int, result: int) -> list[bytes]:
    """Return `result` if the loaded word passes a test."""
    return [_step(test, value, 0, 1), _step(_RETURN, result)]


def _block(number: int, steps: list[bytes]) -> list[bytes]:
    """Run steps, which end the filter, only for one system call."""
    return [_step(_EQUAL, number, 0, len(steps)), *steps]


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("HBBI", code, if_true, if_false, value)
