"""GPUs on machines that have one, seem to have one, or have none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mnist_tasks.environment import gpu, gpu_use, probe
from mnist_tasks.environment.gpu import Driver, Gpu
from mnist_tasks.environment.probe import Library, Probed

if TYPE_CHECKING:
    from pathlib import Path

H100 = Gpu(name="NVIDIA H100 80GB HBM3", memory=81559)
ONE = Driver(version="550.54.14", gpus=(H100,), cards=1)
NO_FILE = "cannot open shared object file: No such file or directory"


def nvidia_smi(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a driver's program first on the path that does what a shell script says."""
    folder.mkdir()
    (folder / "nvidia-smi").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def machine(root: Path, *, card: bool = False, driver: bool = False, node: bool = False) -> Path:
    """Make the files of a system that has a GPU, in part."""
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


def test_the_driver_tells_name_memory_and_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = 'for i in 1 2; do echo "NVIDIA H100 80GB HBM3, 81559, 550.54.14"; done'
    nvidia_smi(tmp_path / "bin", script, monkeypatch)
    driver = gpu.look(tmp_path)
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
def test_a_driver_that_ails_is_named_in_its_own_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, problem: str
) -> None:
    nvidia_smi(tmp_path / "bin", script, monkeypatch)
    monkeypatch.setattr(gpu, "TIMEOUT", 0.2 if "sleep" in script else 5.0)
    driver = gpu.look(machine(tmp_path, card=True, driver=True, node=True))
    assert driver.gpus == (Gpu(name="NVIDIA T4"),)
    found = gpu.finding(driver)
    assert found.status == "warning"
    assert problem in found.found


@pytest.mark.parametrize(
    ("parts", "status", "words"),
    [
        ((), "ok", "none here"),
        (("card",), "warning", "1 on this machine, without NVIDIA's driver"),
        (("card", "driver"), "warning", "out of reach here"),
        (("card", "driver", "node"), "ok", "NVIDIA T4; driver 550.54.14"),
    ],
)
def test_without_its_program_the_system_tells(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    parts: tuple[str, ...],
    status: str,
    words: str,
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = gpu.finding(gpu.look(machine(tmp_path, **dict.fromkeys(parts, True))))
    assert found.status == status
    assert words in found.found
    assert (found.remedy is None) == (status == "ok")


def probed(
    *lacking: str, gpus: tuple[str, ...] = (), cuda_build: bool = True, said: tuple[str, ...] = ()
) -> Probed:
    names = ("libcuda.so.1", "libcudart.so.12", "libcudnn.so.9") if cuda_build else ()
    return Probed(
        tensorflow="2.21.0",
        cuda_build=cuda_build,
        gpus=gpus,
        libraries=tuple(
            Library(name=name, path=None, why=f"{name}: {NO_FILE}")
            if name in lacking
            else Library(name=name, path=f"/usr/lib/{name}", why=None)
            for name in names
        ),
        messages=said,
    )


@pytest.mark.parametrize(
    ("driver", "answer", "status", "words", "remedy"),
    [
        (Driver(), probed(), "ok", "CPU only; 3 of 3 CUDA libraries open (system), and none", ""),
        (Driver(), probed(cuda_build=False), "ok", "CPU only", ""),
        (Driver(), None, "ok", "not known", ""),
        (ONE, None, "ok", "not known", ""),
        (ONE, probed(gpus=("NVIDIA H100",)), "ok", "TensorFlow lists NVIDIA H100; 3 of 3", ""),
        (ONE, probed(cuda_build=False), "warning", "CPU build", "[gpu]"),
        (ONE, probed("libcudnn.so.9"), "warning", "libcudnn.so.9 can't be opened", "[gpu]"),
        (ONE, probed("libcuda.so.1"), "warning", "libcuda.so.1 can't be opened", "driver"),
        (
            ONE,
            probed("libcuda.so.1", "libcudnn.so.9"),
            "warning",
            "2 of 3 CUDA libraries",
            "[gpu]",
        ),
        (ONE, probed(), "warning", "though every CUDA library opens", "driver"),
    ],
)
def test_a_gpu_is_used_or_there_is_a_reason(
    driver: Driver,
    answer: Probed | None,
    status: str,
    words: str,
    remedy: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    found = gpu_use.finding(driver, answer, is_required=False)
    assert found.status == status
    assert words in found.found
    assert remedy in (found.remedy or "")
    assert (found.remedy is None) == (status == "ok")


@pytest.mark.parametrize(
    ("driver", "answer", "status"),
    [
        (Driver(), probed(), "fault"),
        (Driver(), None, "fault"),
        (ONE, probed(cuda_build=False), "fault"),
        (ONE, probed("libcudnn.so.9"), "fault"),
        (ONE, probed(gpus=("NVIDIA H100",)), "ok"),
    ],
)
def test_a_gpu_that_is_required_and_cant_be_used_is_a_fault(
    driver: Driver, answer: Probed | None, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    found = gpu_use.finding(driver, answer, is_required=True)
    assert found.status == status
    assert (found.remedy is None) == (status == "ok")


def test_the_remedy_is_for_what_is_lacking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    found = gpu_use.finding(ONE, probed("libcudart.so.12", "libcudnn.so.9"), is_required=False)
    assert found.details == (f"libcudart.so.12, libcudnn.so.9: {NO_FILE}",)
    assert "driver" not in str(found.remedy)
    found = gpu_use.finding(ONE, probed("libcuda.so.1"), is_required=False)
    assert "pip install" not in str(found.remedy)


def test_what_the_driver_says_is_shown_where_no_library_is_to_blame(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    said = ("Successfully opened dynamic library libcuda.so.1", "failed call to cuInit: 803")
    assert gpu_use.finding(ONE, probed(said=said), is_required=False).details == said[1:]


def test_a_user_may_hide_the_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    for value in ("", "-1"):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", value)
        found = gpu_use.finding(ONE, probed(), is_required=False)
        assert found.status == "warning"
        assert f"CUDA_VISIBLE_DEVICES={value} hides" in found.found
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert gpu_use.finding(ONE, probed(), is_required=False).status == "warning"


def test_fewer_than_the_driver_has_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    two = Driver(version="550", gpus=(H100, H100), cards=2)
    found = gpu_use.finding(two, probed(gpus=("NVIDIA H100",)), is_required=False)
    assert (found.status, found.found.endswith("1 of 2")) == ("warning", True)


def test_where_a_library_comes_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", f"/nowhere::{tmp_path}")
    pip = "/venv/lib/python3.11/site-packages/nvidia/cudnn/lib/libcudnn.so.9"
    for path, origin in (
        (pip, "pip"),
        (f"{tmp_path}/libcudnn.so.9", "LD_LIBRARY_PATH"),
        ("/usr/lib/libcudnn.so.9", "system"),
        (None, None),
    ):
        assert gpu_use.origin(Library(name="libcudnn.so.9", path=path, why=None)) == origin


@pytest.mark.slow
def test_the_real_tensorflow_is_asked_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is no library, where the linker looks first, is opened and refused."""
    (tmp_path / "libcudart.so.12").write_bytes(b"no library at all, but long enough to be read" * 9)
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
    answer = probe.probe()
    assert answer.failure is None
    assert answer.gpus is not None
    if not answer.cuda_build:
        pytest.skip("this is a CPU build")
    libraries = {library.name: library for library in answer.libraries}
    assert "libcudnn.so.9" in libraries
    runtime = libraries["libcudart.so.12"]
    assert (runtime.path or "").startswith("/") or "invalid ELF header" in (runtime.why or "")
    if gpu.look().gpus:
        pytest.skip("there is a GPU")
    found = gpu_use.finding(ONE, answer, is_required=False)
    assert found.status == "warning"
    assert "libcuda.so.1" in " ".join(found.details)
    assert any("libcuda.so.1" in line for line in answer.messages)
