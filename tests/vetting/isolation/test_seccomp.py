"""The filter of system calls, run step by step for both processors."""

from __future__ import annotations

import errno
import re
import struct
from operator import and_, eq, gt
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mnist_tasks.vetting.isolation import seccomp, system_calls

if TYPE_CHECKING:
    from collections.abc import Callable

PROCESS = 4242
THREAD, TRUNCATE = 0x10000, 0x200
MACHINES = pytest.mark.parametrize("machine", [0, 1], ids=["x86-64", "AArch64"])
HEADERS = [
    Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    Path("/usr/include/asm-generic/unistd.h"),
]


def answer(
    machine: int,
    number: int | None,
    *arguments: int,
    audit: int | None = None,
    truncate: bool = True,
) -> str | int:
    """Return what the filter answers: ``allow``, ``kill`` or the number of an error."""
    assert number is not None
    code = seccomp.program(machine, PROCESS, may_truncate=truncate)
    steps = list(struct.iter_unpack("HBBI", code))
    words = [value for each in (*arguments, 0, 0, 0)[:3] for value in (each & 0xFFFFFFFF, 0)]
    audit = seccomp._AUDIT_NUMBERS[machine] if audit is None else audit
    data = struct.pack("=IIQ6I", number, audit, 0, *words)
    loaded = place = 0
    tests: dict[int, Callable[[int, int], bool | int]] = {0x15: eq, 0x25: gt, 0x45: and_}
    while True:
        kind, if_true, if_false, value = steps[place]
        place += 1
        if kind == 0x20:
            (loaded,) = struct.unpack_from("=I", data, value)
        elif kind == 0x06:
            action, detail = value & 0xFFFF0000, value & 0xFFFF
            return "allow" if action == 0x7FFF0000 else "kill" if action == 0x80000000 else detail
        else:
            place += if_true if tests[kind](loaded, value) else if_false


@MACHINES
def test_calls_of_another_processor_end_the_process(machine: int) -> None:
    i386 = 0x40000003
    assert answer(machine, 0, audit=seccomp._AUDIT_NUMBERS[1 - machine]) == "kill"
    assert answer(machine, 0, audit=i386) == "kill"


@MACHINES
def test_each_listed_call_is_refused(machine: int) -> None:
    for name, numbers in system_calls.REFUSED.items():
        if numbers[machine] is not None:
            assert answer(machine, numbers[machine]) == errno.EPERM, name


@MACHINES
def test_calls_that_everything_needs_are_allowed(machine: int) -> None:
    needed = {  # read, write, close, mmap, futex, exit_group
        0: (0, 1, 3, 9, 202, 231),
        1: (63, 64, 57, 222, 98, 94),
    }
    assert {answer(machine, number) for number in needed[machine]} == {"allow"}


@MACHINES
def test_newer_calls_and_those_of_x32_do_not_exist(machine: int) -> None:
    for number in (system_calls.HIGHEST + 1, 1000, 0x40000000, 0x40000000 | 59, 0xFFFFFFFF):
        assert answer(machine, number) == errno.ENOSYS


@MACHINES
def test_threads_can_be_started_and_processes_not(machine: int) -> None:
    clone = system_calls.CLONE[machine]
    assert answer(machine, clone, THREAD | 0x100) == "allow"
    assert answer(machine, clone, 17) == errno.EPERM
    assert answer(machine, 435, THREAD) == errno.ENOSYS  # clone3


@MACHINES
def test_some_calls_are_for_the_own_process_only(machine: int) -> None:
    for name, numbers in system_calls.OWN_PROCESS.items():
        assert answer(machine, numbers[machine], PROCESS) == "allow", name
        for other in (1, PROCESS + 1, -1, -PROCESS):
            assert answer(machine, numbers[machine], other) == errno.EPERM, name
        group = "allow" if name in system_calls.ZERO_IS_OWN else errno.EPERM
        assert answer(machine, numbers[machine], 0) == group, name


@MACHINES
def test_some_calls_are_refused_for_some_values(machine: int) -> None:
    prctl = system_calls.REFUSED_VALUES["prctl"][0][machine]
    assert [answer(machine, prctl, option) for option in (1, 4)] == [errno.EPERM] * 2
    assert [answer(machine, prctl, option) for option in (2, 3, 15, 22)] == ["allow"] * 4
    fcntl = system_calls.REFUSED_VALUES["fcntl"][0][machine]
    assert [answer(machine, fcntl, 1, command) for command in (8, 10, 15)] == [errno.EPERM] * 3
    assert [answer(machine, fcntl, 8, command) for command in (1, 3, 4, 1030)] == ["allow"] * 4


@MACHINES
def test_files_can_be_emptied_only_if_landlock_judges_it(machine: int) -> None:
    openat = system_calls.OPEN["openat"][0][machine]
    assert answer(machine, openat, 3, 0, TRUNCATE) == "allow"
    assert answer(machine, openat, 3, 0, TRUNCATE, truncate=False) == errno.EPERM
    assert answer(machine, openat, 3, TRUNCATE, 0, truncate=False) == "allow"
    assert answer(machine, 437, truncate=False) == errno.ENOSYS  # openat2, whose flags are hidden
    if machine == 0:
        assert answer(machine, 2, 0, TRUNCATE, truncate=False) == errno.EPERM
        assert answer(machine, 85, truncate=False) == errno.EPERM  # creat


@MACHINES
def test_the_numbers_are_those_of_the_kernel(machine: int) -> None:
    if not HEADERS[machine].exists():
        pytest.skip(f"no {HEADERS[machine]}")
    text = HEADERS[machine].read_text(encoding="utf-8")
    known = {name: int(number) for name, number in re.findall(r"__NR(?:3264)?_(\w+)\s+(\d+)", text)}
    opening = {name: numbers for name, (numbers, _) in system_calls.OPEN.items()}
    values = {name: numbers for name, (numbers, _, _) in system_calls.REFUSED_VALUES.items()}
    ours = {
        **system_calls.REFUSED,
        **system_calls.OWN_PROCESS,
        **opening,
        **values,
        "clone": system_calls.CLONE,
    }
    for name, numbers in ours.items():
        assert numbers[machine] == known.get(name), name
