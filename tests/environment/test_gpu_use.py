"""Why TensorFlow uses a GPU or not, from simulated probes and from the real TensorFlow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mnist_tasks.environment import gpu, gpu_use, probe
from mnist_tasks.environment.gpu import Driver, Gpu
from mnist_tasks.environment.probe import Library, ProbeResult

if TYPE_CHECKING:
    from pathlib import Path

H100 = Gpu(name="NVIDIA H100 80GB HBM3", memory=81559)
ONE = Driver(version="550.54.14", gpus=(H100,), cards=1)
NO_FILE = "cannot open shared object file: No such file or directory"


def make(
    *missing: str,
    gpus: tuple[str, ...] = (),
    cuda_build: bool = True,
    messages: tuple[str, ...] = (),
) -> ProbeResult:
    names = ("libcuda.so.1", "libcudart.so.12", "libcudnn.so.9") if cuda_build else ()
    return ProbeResult(
        tensorflow="2.21.0",
        cuda_build=cuda_build,
        gpus=gpus,
        libraries=tuple(
            Library(name=name, path=None, error=f"{name}: {NO_FILE}")
            if name in missing
            else Library(name=name, path=f"/usr/lib/{name}", error=None)
            for name in names
        ),
        messages=messages,
    )


@pytest.mark.parametrize(
    ("driver", "answer", "status", "words", "remedy"),
    [
        (Driver(), make(), "ok", "CPU only; 3 of 3 CUDA libraries load (system)", ""),
        (Driver(), make(cuda_build=False), "ok", "CPU only", ""),
        (Driver(), None, "ok", "unknown", ""),
        (ONE, None, "ok", "unknown", ""),
        (ONE, make(gpus=("NVIDIA H100",)), "ok", "TensorFlow lists NVIDIA H100; 3 of 3", ""),
        (ONE, make(cuda_build=False), "warning", "CPU build", "[gpu]"),
        (
            ONE,
            make("libcudnn.so.9"),
            "warning",
            "libcudnn.so.9 can't be loaded",
            "[gpu]",
        ),
        (
            ONE,
            make("libcuda.so.1"),
            "warning",
            "no CUDA driver: the library libcuda.so.1 can't",
            "driver",
        ),
        (
            ONE,
            make("libcuda.so.1", "libcudnn.so.9"),
            "warning",
            "2 of 3 CUDA libraries can't be loaded, including libcuda.so.1",
            "[gpu]",
        ),
        (ONE, make(), "warning", "every CUDA library loads", "driver"),
    ],
)
def test_a_gpu_is_used_or_there_is_a_reason(
    driver: Driver,
    answer: ProbeResult | None,
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
        (Driver(), make(), "error"),
        (Driver(), None, "error"),
        (ONE, make(cuda_build=False), "error"),
        (ONE, make("libcudnn.so.9"), "error"),
        (ONE, make(gpus=("NVIDIA H100",)), "ok"),
    ],
)
def test_a_required_gpu_that_cant_be_used_is_an_error(
    driver: Driver, answer: ProbeResult | None, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    found = gpu_use.finding(driver, answer, is_required=True)
    assert found.status == status
    assert (found.remedy is None) == (status == "ok")


def test_the_remedy_installs_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    found = gpu_use.finding(ONE, make("libcudart.so.12", "libcudnn.so.9"), is_required=False)
    assert found.details == (f"libcudart.so.12, libcudnn.so.9: {NO_FILE}",)
    assert "driver" not in str(found.remedy)
    found = gpu_use.finding(ONE, make("libcuda.so.1"), is_required=False)
    assert "pip install" not in str(found.remedy)


def test_tensorflows_messages_are_shown_if_every_library_loads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    messages = ("Successfully opened dynamic library libcuda.so.1", "failed call to cuInit: 803")
    assert gpu_use.finding(ONE, make(messages=messages), is_required=False).details == messages[1:]


def test_hidden_gpus_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    for value in ("", "-1"):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", value)
        found = gpu_use.finding(ONE, make(), is_required=False)
        assert found.status == "warning"
        assert f"CUDA_VISIBLE_DEVICES={value} hides every GPU" in found.found
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert gpu_use.finding(ONE, make(), is_required=False).status == "warning"


def test_fewer_gpus_than_the_driver_has_are_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    two = Driver(version="550", gpus=(H100, H100), cards=2)
    found = gpu_use.finding(two, make(gpus=("NVIDIA H100",)), is_required=False)
    assert (found.status, found.found.endswith("1 of 2")) == ("warning", True)


def test_the_origin_of_a_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", f"/nowhere::{tmp_path}")
    pip = "/venv/lib/python3.11/site-packages/nvidia/cudnn/lib/libcudnn.so.9"
    for path, origin in (
        (pip, "pip"),
        (f"{tmp_path}/libcudnn.so.9", "LD_LIBRARY_PATH"),
        ("/usr/lib/libcudnn.so.9", "system"),
        (None, None),
    ):
        assert gpu_use.origin(Library(name="libcudnn.so.9", path=path, error=None)) == origin


@pytest.mark.slow
def test_the_real_tensorflow_reports_a_damaged_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first file that the linker finds is not a library."""
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
    assert (runtime.path or "").startswith("/") or "invalid ELF header" in (runtime.error or "")
    if gpu.detect().gpus:
        pytest.skip("there is a GPU")
    found = gpu_use.finding(ONE, answer, is_required=False)
    assert found.status == "warning"
    assert "libcuda.so.1" in " ".join(found.details)
    assert any("libcuda.so.1" in line for line in answer.messages)
