"""GPUs on simulated machines that have one, seem to have one, or have none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mnist_tasks.environment import gpu
from mnist_tasks.environment.gpu import Driver, Gpu

if TYPE_CHECKING:
    from pathlib import Path

H100 = Gpu(name="NVIDIA H100 80GB HBM3", memory=81559)


def nvidia_smi(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a shell script named ``nvidia-smi`` first on the path."""
    folder.mkdir()
    (folder / "nvidia-smi").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def machine(root: Path, *, card: bool = False, driver: bool = False, node: bool = False) -> Path:
    """Create some of the files of a system with a GPU."""
    files: dict[str, str] = {}
    if card:
        files |= {
            "sys/bus/pci/devices/0/vendor": "0x10de",
            "sys/bus/pci/devices/0/class": "0x030000",
        }
        files |= {
            "sys/bus/pci/devices/1/vendor": "0x10de",
            "sys/bus/pci/devices/1/class": "0x040300",
        }
        files |= {
            "sys/bus/pci/devices/2/vendor": "0x8086",
            "sys/bus/pci/devices/2/class": "0x030000",
        }
    if driver:
        version = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.14  Thu Feb 22 2024"
        files |= {"proc/driver/nvidia/version": version}
        files |= {"proc/driver/nvidia/gpus/0/information": "Model: \t NVIDIA T4\nIRQ: 9"}
    if node:
        files |= {"dev/nvidia0": "", "dev/nvidiactl": ""}
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_nvidia_smi_reports_name_memory_and_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = 'for i in 1 2; do echo "NVIDIA H100 80GB HBM3, 81559, 550.54.14"; done'
    nvidia_smi(tmp_path / "bin", script, monkeypatch)
    driver = gpu.detect(tmp_path)
    assert driver == Driver(version="550.54.14", gpus=(H100, H100), cards=2)
    found = gpu.finding(driver)
    assert found.status == "ok"
    assert found.found.startswith("NVIDIA H100 80GB HBM3 (79.6 GiB), ")
    assert found.found.endswith("; driver 550.54.14")


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("echo 'Failed to initialize NVML: Driver/library version mismatch'; exit 18", "mismatch"),
        ("echo 'No devices were found'; exit 6", "No devices were found"),
        ("echo 'Unable to determine, the handle, of a device'; exit 15", "Unable to determine"),
        ("exit 9", "exit code 9"),
        ("exec sleep 9", "no answer within 0.2 s"),
    ],
)
def test_a_failing_driver_is_quoted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, problem: str
) -> None:
    nvidia_smi(tmp_path / "bin", script, monkeypatch)
    monkeypatch.setattr(gpu, "TIMEOUT", 0.2 if "sleep" in script else 5.0)
    driver = gpu.detect(machine(tmp_path, card=True, driver=True, node=True))
    assert driver.gpus == (Gpu(name="NVIDIA T4"),)
    found = gpu.finding(driver)
    assert found.status == "warning"
    assert problem in found.found


@pytest.mark.parametrize(
    ("parts", "status", "words"),
    [
        ((), "ok", "none, and none is needed"),
        (("card",), "warning", "1 on this machine, without NVIDIA's driver"),
        (("card", "driver"), "warning", "but not accessible"),
        (("card", "driver", "node"), "ok", "NVIDIA T4; driver 550.54.14"),
    ],
)
def test_without_nvidia_smi_the_files_of_the_system_count(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    parts: tuple[str, ...],
    status: str,
    words: str,
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = gpu.finding(gpu.detect(machine(tmp_path, **dict.fromkeys(parts, True))))
    assert found.status == status
    assert words in found.found
    assert (found.remedy is None) == (status == "ok")
