"""A run never ignores a GPU silently: it gives the reason."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from mnist_tasks.environment import gpu, probe
from mnist_tasks.environment.gpu import Driver, Gpu
from mnist_tasks.environment.probe import Library, ProbeResult
from mnist_tasks.errors import EnvironmentProblemError
from mnist_tasks.training import devices

NO_CUDNN = "libcudnn.so.9: cannot open shared object file: No such file or directory"


class Hidden:
    """The ``tf.config`` of a TensorFlow with `count` simulated GPUs."""

    def __init__(self, count: int) -> None:
        self.visible: list[str] | None = None
        self.growing: list[str] = []
        self.gpus = [f"gpu {number}" for number in range(count)]

    def list_physical_devices(self, kind: str) -> list[str]:
        return self.gpus if kind == "GPU" else ["cpu"]

    def set_visible_devices(self, devices: list[str], kind: str) -> None:
        self.visible = devices


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Any:
    def make(count: int, *, driver: Driver | None = None) -> Hidden:
        config: Any = Hidden(count)
        config.experimental = SimpleNamespace(
            get_device_details=lambda _: {"device_name": "X1"},
            set_memory_growth=lambda device, enable: config.growing.extend([device] * enable),
        )
        config.get_logical_device_configuration = lambda _: None
        module = SimpleNamespace(
            config=config,
            test=SimpleNamespace(is_built_with_cuda=lambda: True),
            __version__="2.21.0",
        )
        monkeypatch.setitem(sys.modules, "tensorflow", module)
        library = Library(name="libcudnn.so.9", path=None, error=NO_CUDNN)
        result = ProbeResult(cuda_build=True, libraries=(library,))
        monkeypatch.setattr(probe, "probe", lambda: result)
        monkeypatch.setattr(gpu, "detect", lambda: driver or Driver())
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        return config  # type: ignore[no-any-return]

    return make


@pytest.mark.parametrize(
    ("wanted", "visible", "names", "label"),
    [
        ("auto", ["gpu 0"], ("GPU:0",), "GPU (X1)"),
        ("gpu", ["gpu 0"], ("GPU:0",), "GPU (X1)"),
        ("gpu:1", ["gpu 1"], ("GPU:0",), "GPU (X1)"),
        ("all", ["gpu 0", "gpu 1"], ("GPU:0", "GPU:1"), "2 × GPU (X1)"),
        ("cpu", [], ("CPU:0",), "CPU"),
    ],
)
def test_only_the_wanted_devices_are_seen(
    machine: Any, wanted: str, visible: list[str], names: tuple[str, ...], label: str
) -> None:
    there = machine(2)
    chosen = devices.choose(wanted)
    assert there.visible == visible
    assert there.growing == visible  # none takes the whole memory of its GPU
    assert (chosen.names, chosen.label, chosen.note) == (names, label, "")


@pytest.mark.parametrize("wanted", ["gpu", "gpu:0", "gpu:3", "all"])
def test_a_missing_gpu_is_an_error_with_its_reason(machine: Any, wanted: str) -> None:
    machine(0)
    with pytest.raises(EnvironmentProblemError, match=r"libcudnn\.so\.9") as caught:
        devices.choose(wanted)
    assert caught.value.subject == f"--device {wanted}"
    assert "[gpu]" in str(caught.value.remedy)


def test_an_index_past_the_last_gpu_is_named(machine: Any) -> None:
    machine(2)
    with pytest.raises(EnvironmentProblemError, match="2, counted from gpu:0") as caught:
        devices.choose("gpu:2")
    assert "gpu:1" in str(caught.value.remedy)


@pytest.mark.parametrize(
    "driver",
    [Driver(version="550"), Driver(gpus=(Gpu(name="X1"),))],
    ids=["only a driver", "only a device"],
)
def test_auto_explains_why_a_gpu_is_not_used(machine: Any, driver: Driver) -> None:
    machine(0)
    assert devices.choose("auto").note == ""
    machine(0, driver=driver)
    note = devices.choose("auto").note
    assert "the library libcudnn.so.9 can't be loaded" in note
    assert "Training on CPU" in note
    assert devices.choose("cpu").note == ""
