"""A GPU that can't be used is never passed over in silence, nor without its reason."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from mnist_tasks.errors import EnvironmentProblemError
from mnist_tasks.training import gpus

if TYPE_CHECKING:
    from pathlib import Path

CUDNN = "W0000 dso_loader.cc:55] libcudnn.so.9: cannot open shared object file: No such file"
DLOPEN = "W0000 gpu_device.cc:2342] Cannot dlopen some GPU libraries. Please make sure"
NO_DRIVER = "I0000 cudart_stub.cc:31] Could not find cuda drivers on your machine, GPU will not"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (f"{CUDNN}\n{DLOPEN}", "the library libcudnn.so.9 can't be loaded"),
        ("Could not load dynamic library 'libcufft.so.11'; dl", "the library libcufft.so.11 can't"),
        (DLOPEN, "some of CUDA's libraries are not installed"),
        (NO_DRIVER, "it finds no CUDA driver"),
        ("failed call to cuInit: UNKNOWN ERROR (303)\nmore", "not start: UNKNOWN ERROR (303)"),
        ("\x1b[31mlibevil\x1b.so: cannot open", ""),
        ("", ""),
    ],
)
def test_the_reason_is_picked_out_of_the_log(said: str, why: str) -> None:
    found = gpus.reason(said)
    assert why in found
    assert bool(why) == bool(found)


class Hidden:
    """A TensorFlow that sees so many GPUs, all of which are made up."""

    def __init__(self, count: int) -> None:
        self.visible: list[str] | None = None
        self.gpus = [f"gpu {number}" for number in range(count)]

    def list_physical_devices(self, kind: str) -> list[str]:
        return self.gpus if kind == "GPU" else ["cpu"]

    def set_visible_devices(self, devices: list[str], kind: str) -> None:
        self.visible = devices


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Any:
    def make(count: int, *, log: str = "") -> Hidden:
        config: Any = Hidden(count)
        config.experimental = SimpleNamespace(get_device_details=lambda _: {"device_name": "X1"})
        config.get_logical_device_configuration = lambda _: None
        module = SimpleNamespace(
            config=config,
            test=SimpleNamespace(is_built_with_cuda=lambda: True),
            __version__="2.21.0",
        )
        monkeypatch.setitem(sys.modules, "tensorflow", module)
        monkeypatch.setattr(gpus, "_log", lambda: log)
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
    chosen = gpus.choose(wanted)
    assert there.visible == visible
    assert (chosen.names, chosen.label, chosen.note) == (names, label, "")


@pytest.mark.parametrize("wanted", ["gpu", "gpu:0", "gpu:3", "all"])
def test_a_missing_gpu_is_an_error_with_its_reason(machine: Any, wanted: str) -> None:
    machine(0, log=CUDNN)
    with pytest.raises(EnvironmentProblemError, match=r"libcudnn\.so\.9") as caught:
        gpus.choose(wanted)
    assert caught.value.subject == f"--device {wanted}"
    assert "[gpu]" in str(caught.value.remedy)


def test_an_index_past_the_last_gpu_is_named(machine: Any) -> None:
    machine(2)
    with pytest.raises(EnvironmentProblemError, match="2, counted from gpu:0") as caught:
        gpus.choose("gpu:2")
    assert "gpu:1" in str(caught.value.remedy)


def test_a_driver_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpus, "_ASK", "import time; time.sleep(60)")
    monkeypatch.setattr(gpus, "_SECONDS_TO_ASK", 0.1)
    assert gpus._log() == ""


def test_auto_says_why_it_passes_over_a_gpu(
    machine: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine(0, log=DLOPEN)
    assert gpus.choose("auto").note == ""
    (tmp_path / "version").touch()
    monkeypatch.setattr(gpus, "DRIVER_SIGNS", (tmp_path / "version",))
    note = gpus.choose("auto").note
    assert "some of CUDA's libraries are not installed" in note
    assert "Training on CPU" in note
    assert gpus.choose("cpu").note == ""
