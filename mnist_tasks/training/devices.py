"""Choose the devices of a training run, and explain why a GPU can't be used."""

from __future__ import annotations

from dataclasses import dataclass

from mnist_tasks import fast_import, install
from mnist_tasks.errors import EnvironmentProblemError, printable


@dataclass(frozen=True, kw_only=True)
class Devices:
    """The devices of a run.

    Attributes
    ----------
    names
        TensorFlow's names, such as ``GPU:0``.
    label
        The name shown to people.
    note
        What the user should know about the choice.
    """

    names: tuple[str, ...] = ("CPU:0",)
    label: str = "CPU"
    note: str = ""


def choose(wanted: str) -> Devices:
    """Make the wanted devices the only ones visible to TensorFlow, and leave room on each GPU.

    Parameters
    ----------
    wanted
        ``auto``, ``cpu``, ``gpu``, ``gpu:1`` or ``all``. Without a GPU, ``all`` means the logical
        devices that this process has split its CPU into.

    Raises
    ------
    EnvironmentProblemError
        TensorFlow can't use a GPU that was requested.
    """
    import tensorflow as tf

    with fast_import.quiet_stderr():  # a CUDA build logs errors without a GPU
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
    for each in taken:  # else the first process takes all its memory, and the next one fails
        tf.config.experimental.set_memory_growth(each, True)
    if not taken:
        return Devices(note=_unused_note() if wanted == "auto" else "")
    models = [tf.config.experimental.get_device_details(each).get("device_name") for each in taken]
    label = f"GPU ({printable(', '.join(sorted({model or 'unnamed' for model in models})))})"
    return Devices(
        names=tuple(f"GPU:{number}" for number in range(len(taken))),
        label=label if len(taken) == 1 else f"{len(taken)} × {label}",
    )


def _require(wanted: str, count: int) -> None:
    needed = int(wanted.partition(":")[2] or 0) + 1
    if count >= needed:
        return
    import tensorflow as tf

    is_cuda = tf.test.is_built_with_cuda()
    found = f"none; TensorFlow {tf.__version__} is {'a CUDA build' if is_cuda else 'a CPU build'}"
    if is_cuda and not count and (reason := _why_unused()):
        found = f"{found}, and {reason}"
    raise EnvironmentProblemError(
        f"--device {wanted}",
        expected="a GPU that TensorFlow can use" if needed == 1 else f"{needed} GPUs or more",
        found=f"{count}, counted from gpu:0" if count else found,
        remedy=f"Use --device gpu:{count - 1}, or a lower one."
        if count
        else f"On a machine with an NVIDIA GPU, run {install.command('gpu')}. "
        "Otherwise use --device cpu.",
    )


def _unused_note() -> str:
    """Explain why the run does not use the GPU that this machine has; empty if it has none."""
    from mnist_tasks.environment import gpu

    driver = gpu.detect()
    if not (driver.gpus or driver.version):
        return ""
    reason = _why_unused() or "TensorFlow gives no reason"
    return (
        f"This machine has an NVIDIA GPU, but TensorFlow can't use it ({reason}). Training on CPU."
    )


def _why_unused() -> str:
    # Imported here since a run that gets its devices needs no diagnosis.
    from mnist_tasks.environment import gpu_use, probe

    return gpu_use.why_unused(probe.probe())


def _parts_of_cpu() -> int:
    """Return how many logical devices this process has split its CPU into, as tests do."""
    import tensorflow as tf

    (cpu,) = tf.config.list_physical_devices("CPU")
    return len(tf.config.get_logical_device_configuration(cpu) or [])
