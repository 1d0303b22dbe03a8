"""The limits of control groups, read from simulated systems."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from mnist_tasks import cgroups, config

if TYPE_CHECKING:
    from pathlib import Path


def system(root: Path, group: str, limits: dict[str, str]) -> Path:
    for name, text in {"proc/self/cgroup": group, **limits}.items():
        path = root / (name if name.startswith("proc") else f"sys/fs/cgroup/{name}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.fsencode(text))
    return root


@pytest.mark.parametrize(
    ("group", "limits", "cores"),
    [
        ("0::/\n", {"cpu.max": "max 100000\n"}, None),
        ("0::/\n", {"cpu.max": "200000 100000\n"}, 2),
        ("0::/\n", {"cpu.max": "150000 100000\n"}, 2),
        ("0::/\n", {"cpu.max": "10000 100000\n"}, 1),
        ("0::/\udcff\n", {"\udcff/cpu.max": "200000 100000"}, 2),
        ("0::/a/b\n", {"a/b/cpu.max": "400000 100000", "a/cpu.max": "300000 100000"}, 3),
        ("4:cpu:/a\n", {"cpu/a/cpu.cfs_quota_us": "20\n", "cpu/a/cpu.cfs_period_us": "10\n"}, 2),
        ("4:cpu:/\n", {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        ("4:memory:/\n", {"cpu.max": "100000 100000"}, None),
        ("0::/\n", {"cpu.max": "nonsense"}, None),
        ("0::/\n", {}, None),
    ],
    ids=[
        "unlimited", "v2", "rounded up", "at least one", "no text", "above", "v1", "v1 none",
        "other", "odd", "no file",
    ],
)  # fmt: skip
def test_the_lowest_quota_applies(
    tmp_path: Path, group: str, limits: dict[str, str], cores: int | None
) -> None:
    assert cgroups.core_limit(system(tmp_path, group, limits)) == cores


def test_a_process_may_use_no_more_cores_than_its_quota(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroups, "core_limit", lambda: 1)
    assert config.available_cores() == 1
    monkeypatch.setattr(cgroups, "core_limit", lambda: 1_000)
    assert config.available_cores() <= (os.cpu_count() or 1)
