"""The memory and cores of this machine, and of simulated ones."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

import pytest

from mnist_tasks.environment import machine
from mnist_tasks.environment.machine import GIB, Memory

if TYPE_CHECKING:
    from pathlib import Path


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def system(root: Path, cgroup: str, limits: dict[str, str]) -> Path:
    write(root / "proc/meminfo", "MemTotal: 8388608 kB\nMemAvailable: 4194304 kB\n")
    write(root / "proc/self/cgroup", cgroup)
    for name, value in limits.items():
        write(root / "sys/fs/cgroup" / name, value)
    return root


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "model name\t: AMD EPYC\nflags\t\t: fpu avx avx2 sse4_2\n\nmodel name\t: another\n",
            "AMD EPYC, avx2",
        ),
        (
            "model name\t: Intel \x1b[31m\nflags\t: avx avx2 avx512f amx_tile\n",
            "Intel ?[31m, amx_tile",
        ),
        ("CPU implementer\t: 0x41\nCPU part\t: 0xd0c\n", "0x41, 0xd0c"),
        ("", platform.processor()),
    ],
)
def test_the_processor_is_named_with_its_vector_instructions(
    text: str, found: str, tmp_path: Path
) -> None:
    write(tmp_path / "proc/cpuinfo", text)
    assert machine.processor(tmp_path) == found


def test_a_system_without_cpuinfo_names_its_processor_otherwise(tmp_path: Path) -> None:
    assert machine.processor(tmp_path) == platform.processor()


@pytest.mark.parametrize(
    ("cgroup", "limits", "limit"),
    [
        ("0::/\n", {"memory.max": "max\n"}, None),
        ("0::/\n", {"memory.max": f"{2 * GIB}\n"}, 2 * GIB),
        ("0::/a/b\n", {"a/b/memory.max": "max", "a/memory.max": f"{GIB}"}, GIB),
        ("0::/host/group\n", {"memory.max": f"{3 * GIB}"}, 3 * GIB),
        ("4:memory:/a\n0::/\n", {"memory/a/memory.limit_in_bytes": f"{GIB}"}, GIB),
        ("4:cpu:/\n", {"memory/memory.limit_in_bytes": f"{GIB}"}, None),
        ("4:memory:/\n", {"memory/memory.limit_in_bytes": "9223372036854771712"}, None),
        ("0::/\n", {"memory.max": f"{64 * GIB}"}, None),
        ("nonsense\n", {}, None),
    ],
    ids=[
        "unlimited", "v2", "above", "namespace", "v1", "other", "v1 none", "too high", "none"
    ],
)  # fmt: skip
def test_the_lowest_limit_of_the_cgroups_counts(
    tmp_path: Path, cgroup: str, limits: dict[str, str], limit: int | None
) -> None:
    found = machine.measure_memory(system(tmp_path, cgroup, limits))
    assert found == Memory(total=8 * GIB, available=4 * GIB, limit=limit)


def test_this_machine_has_memory_cores_and_a_platform() -> None:
    found = machine.measure_memory()
    assert found.total is not None
    assert found.total > GIB
    facts = machine.cores().facts
    assert 1 <= facts["usable"] <= facts["total"]
    assert platform.machine() in machine.system().found


def test_little_memory_is_a_warning() -> None:
    enough = machine.memory(Memory(total=8 * GIB, available=4 * GIB, limit=None))
    assert (enough.status, enough.found) == ("ok", "8.0 GiB, 4.0 GiB available")
    little = machine.memory(Memory(total=8 * GIB, available=4 * GIB, limit=GIB // 2))
    assert little.status == "warning"
    assert "limited to 0.5 GiB (cgroup)" in little.found
    assert little.remedy is not None
    assert machine.memory(Memory(total=None, available=None, limit=None)).status == "ok"
