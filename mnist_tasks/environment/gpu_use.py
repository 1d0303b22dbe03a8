"""Whether TensorFlow can use the machine's GPUs, and which library is to blame where it can't."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from mnist_tasks import install
from mnist_tasks.environment import gpu
from mnist_tasks.environment.diagnosis import Finding

if TYPE_CHECKING:
    from mnist_tasks.environment.diagnosis import Status
    from mnist_tasks.environment.gpu import Driver
    from mnist_tasks.environment.probe import Library, Probed

DRIVER_LIBRARIES = ("libcuda.so.1", "libnvidia-ml.so.1")
_NO_GPU = "Use a machine with an NVIDIA GPU, or leave out --device gpu."
_NEWER_DRIVER = (
    "Install NVIDIA's driver, or a newer one, and restart; in a container, start it with its GPUs "
    "(`--gpus all`)."
)


def finding(driver: Driver, probed: Probed | None, *, is_required: bool) -> Finding:
    """Say which devices TensorFlow lists, and why not more.

    No GPU is fine, and one that can't be used is worth a warning: the CPU does the work. Where a
    GPU is required, both are faults.
    """
    libraries = probed.libraries if probed else ()
    status, found, remedy, details = _judge(driver, probed)
    if is_required and not (probed and probed.gpus):
        status, remedy = "fault", remedy or _NO_GPU
    return Finding(
        topic="GPU",
        name="devices",
        status=status,
        found=found,
        remedy=remedy,
        details=tuple(details),
        facts={
            "gpus": probed.gpus if probed else None,
            "libraries": [
                {
                    "name": library.name,
                    "path": library.path,
                    "from": origin(library),
                    "why_not": library.why,
                }
                for library in libraries
            ],
            "messages": probed.messages if probed else (),
            "CUDA_VISIBLE_DEVICES": os.environ.get("CUDA_VISIBLE_DEVICES"),
        },
    )


def origin(library: Library) -> str | None:
    """Say what brought a library: pip's packages, the user's path, the system."""
    if library.path is None:
        return None
    path = Path(library.path)
    if path.parent.parent.parent.name == "nvidia":
        return "pip"
    folders = filter(None, os.environ.get("LD_LIBRARY_PATH", "").split(":"))
    if any(path.parent == Path(folder).resolve() for folder in folders):
        return "LD_LIBRARY_PATH"
    return "system"


def _judge(driver: Driver, probed: Probed | None) -> tuple[Status, str, str | None, list[str]]:
    if probed is None or probed.gpus is None:
        return "ok", "not known: TensorFlow can't be asked", None, []
    if probed.gpus:
        return _listed(driver, probed)
    if not driver.gpus:
        needless = ", and none is needed" if probed.libraries else ""
        return "ok", f"CPU only{_count(probed.libraries)}{needless}", None, []
    if gpu.hidden() is not None:
        return (
            "warning",
            f"CPU only: CUDA_VISIBLE_DEVICES={gpu.hidden()} hides them",
            "Unset it to train on a GPU.",
            [],
        )
    if not probed.cuda_build:
        return (
            "warning",
            "CPU only: this is TensorFlow's CPU build",
            f"Run `python -m pip uninstall -y tensorflow-cpu` if it is installed. {_gpu_build()}.",
            [],
        )
    return _unusable(probed)


def _listed(driver: Driver, probed: Probed) -> tuple[Status, str, str | None, list[str]]:
    gpus = probed.gpus or ()
    found = f"TensorFlow lists {', '.join(gpus)}"
    if len(gpus) < len(driver.gpus) and "CUDA_VISIBLE_DEVICES" not in os.environ:
        return (
            "warning",
            f"{found}: {len(gpus)} of {len(driver.gpus)}",
            "See `messages` in `mnist-tasks doctor --json` for what TensorFlow says of the others.",
            list(probed.messages[-3:]),
        )
    return "ok", f"{found}{_count(probed.libraries)}", None, []


def _unusable(probed: Probed) -> tuple[Status, str, str | None, list[str]]:
    """Name the libraries that are to blame, by the reason."""
    lacking = [library for library in probed.libraries if library.path is None]
    if not lacking:
        words = [line for line in probed.messages if "Successfully opened" not in line]
        return "warning", "CPU only, though every CUDA library opens", _NEWER_DRIVER, words[-3:]
    names = [library.name for library in lacking]
    by_reason: dict[str, list[str]] = {}
    for library in lacking:
        by_reason.setdefault(_reason(library), []).append(library.name)
    ours = [name for name in names if name in DRIVER_LIBRARIES]
    remedies = [_NEWER_DRIVER] if ours else []
    if ours != names:
        remedies.append(f"{_gpu_build()}: it brings CUDA and cuDNN.")
    several = f"{len(lacking)} of {len(probed.libraries)} CUDA libraries"
    return (
        "warning",
        f"CPU only: {several if len(lacking) > 1 else names[0]} can't be opened",
        " ".join(remedies),
        [f"{', '.join(names)}: {reason}" for reason, names in by_reason.items()],
    )


def _gpu_build() -> str:
    return f"Run {install.command('gpu')} (Linux x86-64)"


def _reason(library: Library) -> str:
    return (library.why or "").removeprefix(f"{library.name}: ")


def _count(libraries: tuple[Library, ...]) -> str:
    """Sum up what brought the libraries: ``; 8 of 8 CUDA libraries open (pip, system)``."""
    if not libraries:
        return ""
    opened = [library for library in libraries if library.path is not None]
    origins = sorted({origin(library) or "" for library in opened})
    tail = f" ({', '.join(origins)})" if origins else ""
    return f"; {len(opened)} of {len(libraries)} CUDA libraries open{tail}"
