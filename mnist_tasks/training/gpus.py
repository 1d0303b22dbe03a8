"""Which devices of this machine a run takes, and why not those that it asked for."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from mnist_tasks import fast_import, install
from mnist_tasks.errors import EnvironmentProblemError, printable

DRIVER_SIGNS = (Path("/proc/driver/nvidia/version"), Path("/dev/nvidia0"))
_REASONS = {
    r"Could not load dynamic library '([^']+)'": "the library {} can't be loaded",
    r"(lib[\w.+-]+\.so[\w.]*): cannot open shared object": "the library {} can't be loaded",
    r"Cannot dlopen some GPU libraries": "some of CUDA's libraries are not installed",
    r"Could not find cuda drivers": "it finds no CUDA driver",
    r"failed call to cuInit: (.+)": "CUDA does not start: {}",
}
_SECONDS_TO_ASK = 120.0
_ASK = "import tensorflow as tf; tf.config.list_physical_devices('GPU')"


@dataclass(frozen=True, kw_only=True)
class Devices:
    """What a run computes on.

    Attributes
    ----------
    names
        As TensorFlow names them: ``GPU:0``.
    label
        For people.
    note
        What the user should know of the choice.
    """

    names: tuple[str, ...] = ("CPU:0",)
    label: str = "CPU"
    note: str = ""


def choose(wanted: str) -> Devices:
    """Make the wanted devices the only ones that TensorFlow sees.

    Parameters
    ----------
    wanted
        ``auto``, ``cpu``, ``gpu``, ``gpu:1`` or ``all``. Where there is no GPU, ``all`` takes the
        logical devices into which this process has split its CPU.

    Raises
    ------
    EnvironmentProblemError
        TensorFlow can't use a GPU that was asked for.
    """
    import tensorflow as tf

    with fast_import.quiet_stderr():  # a CUDA build complains where there is no GPU
        gpus = tf.config.list_physical_devices("GPU")
    if wanted == "cpu":
        gpus = []
    if wanted == "all" and not gpus and (parts := _parts_of_cpu()) > 1:
        names = tuple(f"CPU:{part}" for part in range(parts))
        return Devices(names=names, label=f"{parts} parts of the CPU")
    if wanted not in {"auto", "cpu"}:
        _require(wanted, len(gpus))
    first = int(wanted.partition(":")[2] or 0)
    taken = gpus if wanted == "all" else gpus[first : first + 1]
    tf.config.set_visible_devices(taken, "GPU")
    if not taken:
        return Devices(note=_passed_over() if wanted == "auto" else "")
    models = [tf.config.experimental.get_device_details(gpu).get("device_name") for gpu in taken]
    label = f"GPU ({printable(', '.join(sorted({model or 'unnamed' for model in models})))})"
    return Devices(
        names=tuple(f"GPU:{number}" for number in range(len(taken))),
        label=label if len(taken) == 1 else f"{len(taken)} × {label}",
    )


def reason(said: str) -> str:
    """Pick out of TensorFlow's log why it uses no GPU; empty where it does not tell.

    >>> reason("E0000 cuda_platform.cc:52] failed call to cuInit: NO_DEVICE")
    'CUDA does not start: NO_DEVICE'
    """
    for pattern, words in _REASONS.items():
        if found := re.search(pattern, said):
            return printable(words.format(*found.groups()))
    return ""


def _require(wanted: str, there: int) -> None:
    needed = int(wanted.partition(":")[2] or 0) + 1
    if there >= needed:
        return
    import tensorflow as tf

    build = "a CUDA build" if tf.test.is_built_with_cuda() else "a CPU build"
    why = f"none; TensorFlow {tf.__version__} is {build}"
    if not there and tf.test.is_built_with_cuda() and (told := reason(_log())):
        why = f"{why}, and {told}"
    raise EnvironmentProblemError(
        f"--device {wanted}",
        expected="a GPU that TensorFlow can use" if needed == 1 else f"{needed} GPUs or more",
        found=f"{there}, counted from gpu:0" if there else why,
        remedy=f"Use --device gpu:{there - 1}, or a lower one."
        if there
        else f"On a machine with an NVIDIA GPU, run {install.command('gpu')}. "
        "Otherwise use --device cpu.",
    )


def _passed_over() -> str:
    """Say why the GPU that this machine has, by its driver, goes unused."""
    if not any(sign.exists() for sign in DRIVER_SIGNS):
        return ""
    why = reason(_log()) or "TensorFlow does not say why"
    return f"This machine has an NVIDIA GPU, and TensorFlow can't use it ({why}). Training on CPU."


def _log() -> str:
    """Return what a TensorFlow that may speak says of the GPUs; it decides that when it starts."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", _ASK],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=_SECONDS_TO_ASK,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "0"},
        )
    except subprocess.TimeoutExpired:  # a driver may hang
        return ""
    return done.stderr


def _parts_of_cpu() -> int:
    """Return into how many logical devices this process has split its CPU; mostly tests do."""
    import tensorflow as tf

    (cpu,) = tf.config.list_physical_devices("CPU")
    return len(tf.config.get_logical_device_configuration(cpu) or [])
