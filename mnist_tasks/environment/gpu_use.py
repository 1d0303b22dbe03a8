"""Whether TensorFlow can use the machine's GPUs, and if not, why."""

from __future__ import annotations

import os
import re
from dataclasses import asdict
from pathlib import Path

from mnist_tasks import install
from mnist_tasks.environment.diagnosis import Finding, Status
from mnist_tasks.environment.gpu import Driver
from mnist_tasks.environment.probe import Library, ProbeResult

DRIVER_LIBRARIES = {"libcuda.so.1", "libnvidia-ml.so.1"}
_REASONS = {
    r"failed call to cuInit: (.+)": "CUDA does not start: {}",
    r"Cannot dlopen some GPU libraries": "some of CUDA's libraries are not installed",
    r"Could not find cuda drivers": "it finds no CUDA driver",
}
_NO_GPU = "Use a machine with an NVIDIA GPU, or leave out --device gpu."
_NEWER_DRIVER = (
    "Install or update NVIDIA's driver and restart; in a container, start it with its GPUs "
    "(`--gpus all`)."
)


def why_unused(result: ProbeResult) -> str:
    """Return why TensorFlow uses no GPU, as a clause; empty if it gives no reason."""
    if (value := _hiding()) is not None:
        return f"CUDA_VISIBLE_DEVICES={value} hides every GPU"
    if result.cuda_build is False:
        return "this is TensorFlow's CPU build"
    missing = [library.name for library in result.libraries if library.path is None]
    if len(missing) == 1:
        driver = "it finds no CUDA driver: " if missing[0] in DRIVER_LIBRARIES else ""
        return f"{driver}the library {missing[0]} can't be loaded"
    if missing:
        count = f"{len(missing)} of {len(result.libraries)}"
        return f"{count} CUDA libraries can't be loaded, including {missing[0]}"
    messages = "\n".join(result.messages)
    for pattern, clause in _REASONS.items():
        if match := re.search(pattern, messages):
            return clause.format(*match.groups())
    return ""


def finding(driver: Driver, result: ProbeResult | None, *, is_required: bool) -> Finding:
    """Report which devices TensorFlow lists, and why it lists no others.

    An unusable GPU is a warning, since the CPU does the work. If `is_required`, it is an error, and
    so is having no GPU.
    """
    status, found, remedy, details = _diagnose(driver, result)
    if is_required and not (result and result.gpus):
        status, remedy = "error", remedy or _NO_GPU
    libraries = result.libraries if result else ()
    return Finding(
        topic="GPU",
        name="devices",
        status=status,
        found=found,
        remedy=remedy,
        details=details,
        facts={
            "gpus": result.gpus if result else None,
            "libraries": [{**asdict(each), "origin": origin(each)} for each in libraries],
            "CUDA_VISIBLE_DEVICES": os.environ.get("CUDA_VISIBLE_DEVICES"),
        },
    )


def origin(library: Library) -> str | None:
    """Return where a library was loaded from: ``pip``, ``LD_LIBRARY_PATH`` or ``system``."""
    if library.path is None:
        return None
    path = Path(library.path)
    if path.parent.parent.parent.name == "nvidia":
        return "pip"
    folders = filter(None, os.environ.get("LD_LIBRARY_PATH", "").split(":"))
    if any(path.parent == Path(folder).resolve() for folder in folders):
        return "LD_LIBRARY_PATH"
    return "system"


def _diagnose(
    driver: Driver, result: ProbeResult | None
) -> tuple[Status, str, str | None, tuple[str, ...]]:
    if result is None or result.gpus is None:
        return "ok", "unknown: TensorFlow can't list its devices", None, ()
    if result.gpus:
        found = f"TensorFlow lists {', '.join(result.gpus)}"
        if len(result.gpus) < len(driver.gpus) and "CUDA_VISIBLE_DEVICES" not in os.environ:
            found += f": {len(result.gpus)} of {len(driver.gpus)}"
            remedy = "See TensorFlow's `messages` in `mnist-tasks doctor --json`."
            return "warning", found, remedy, result.messages[-3:]
        return "ok", f"{found}{_loaded(result.libraries)}", None, ()
    if not driver.gpus:
        return "ok", f"CPU only{_loaded(result.libraries)}", None, ()
    reason = why_unused(result) or "every CUDA library loads, and TensorFlow gives no reason"
    return "warning", f"CPU only: {reason}", *_advice(result)


def _advice(result: ProbeResult) -> tuple[str, tuple[str, ...]]:
    """Return what to do about an unused GPU, and the libraries or messages that show why."""
    gpu_build = f"Run {install.command('gpu')} (Linux x86-64)"
    if _hiding() is not None:
        return "Unset CUDA_VISIBLE_DEVICES to train on a GPU.", ()
    if not result.cuda_build:
        uninstall = "Run `python -m pip uninstall -y tensorflow-cpu` if it is installed."
        return f"{uninstall} {gpu_build}.", ()
    missing = {
        library.name: (library.error or "").removeprefix(f"{library.name}: ")
        for library in result.libraries
        if library.path is None
    }
    if not missing:
        messages = [line for line in result.messages if "Successfully opened" not in line]
        return _NEWER_DRIVER, tuple(messages[-3:])
    remedies = [_NEWER_DRIVER] if DRIVER_LIBRARIES & set(missing) else []
    if set(missing) - DRIVER_LIBRARIES:
        remedies.append(f"{gpu_build}: it installs CUDA and cuDNN.")
    by_error: dict[str, list[str]] = {}
    for name, error in missing.items():
        by_error.setdefault(error, []).append(name)
    details = (f"{', '.join(names)}: {error}" for error, names in by_error.items())
    return " ".join(remedies), tuple(details)


def _loaded(libraries: tuple[Library, ...]) -> str:
    """Return a summary such as ``; 8 of 8 CUDA libraries load (pip, system)``."""
    if not libraries:
        return ""
    origins = [place for library in libraries if (place := origin(library))]
    tail = f" ({', '.join(sorted(set(origins)))})" if origins else ""
    return f"; {len(origins)} of {len(libraries)} CUDA libraries load{tail}"


def _hiding() -> str | None:
    """Return the value of CUDA_VISIBLE_DEVICES if it hides every GPU."""
    value = os.environ.get("CUDA_VISIBLE_DEVICES")
    return value if value is not None and value.split(",")[0].strip() in ("", "-1") else None
