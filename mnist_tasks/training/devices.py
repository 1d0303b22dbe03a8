"""TensorFlow itself: its quiet import, its devices, threads, seeds and determinism."""

from __future__ import annotations

import contextlib
import gc
import os
import platform
import sys
import tempfile
from typing import TYPE_CHECKING

from mnist_tasks.config import available_cores
from mnist_tasks.errors import EnvironmentLacksError, printable
from mnist_tasks.records import Machine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mnist_tasks.config import TrainingConfig


def import_tensorflow() -> None:
    """Import TensorFlow and Keras without their start-up lines.

    Raises
    ------
    EnvironmentLacksError
        TensorFlow is not installed, or can't be loaded.
    """
    # A user's ~/.keras/keras.json or environment may name another backend.
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        with _quiet_stderr(), _light_import():
            import keras
            import tensorflow as tf
            from absl import logging
    except ModuleNotFoundError as error:
        raise EnvironmentLacksError(
            "TensorFlow",
            expected="TensorFlow 2.21 with Keras 3",
            found=f"the module {error.name} is not installed",
            remedy="Run `python -m pip install -e .` in the project's folder.",
        ) from error
    except (ImportError, OSError) as error:
        raise EnvironmentLacksError(
            "TensorFlow",
            expected="TensorFlow 2.21 with Keras 3",
            found=f"it can't be loaded: {printable(str(error))}",
            remedy="Check that `tensorflow` and `tensorflow-cpu` are not both installed.",
        ) from error
    logging.set_verbosity(logging.ERROR)  # "saving your model as an HDF5 file ... legacy"
    tf.get_logger().setLevel("ERROR")
    keras.config.set_floatx("float32")
    keras.config.set_image_data_format("channels_last")


def prepare(config: TrainingConfig, *, towers: int) -> Machine:
    """Set the device, the threads and the seed of a run; the import comes first.

    The same seed, thread count and machine then give the same bytes.

    Parameters
    ----------
    towers
        How many parts of a batch are computed side by side: the threads are shared out to them.

    Raises
    ------
    EnvironmentLacksError
        A GPU was asked for and TensorFlow sees none, or TensorFlow already runs in this process
        with other devices or threads.
    """
    import keras
    import tensorflow as tf

    try:
        device = _choose(config.device)
        tf.config.threading.set_intra_op_parallelism_threads(max(1, config.threads // towers))
        tf.config.threading.set_inter_op_parallelism_threads(config.threads)
    except RuntimeError as error:
        raise EnvironmentLacksError(
            "TensorFlow",
            expected="a process in which it has not started yet",
            found=printable(str(error)),
            remedy="Train in a process of its own.",
        ) from error
    # A second run in this process gives the same bytes as a first one: the names of layers, which
    # are counted up, are in the file.
    keras.utils.clear_session()
    keras.utils.set_random_seed(config.seed)
    tf.config.experimental.enable_op_determinism()
    return Machine(
        device=device,
        threads=config.threads,
        cores=available_cores(),
        platform=f"{platform.system()} {platform.machine()}",
        versions=versions(),
    )


def versions() -> dict[str, str]:
    """Return the versions of what a run depends on."""
    import keras
    import numpy as np
    import tensorflow as tf

    import mnist_tasks

    return {
        "mnist-tasks": mnist_tasks.__version__,
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "numpy": np.__version__,
    }


def _choose(wanted: str) -> str:
    """Make the wanted device the only one that TensorFlow sees, and return its name."""
    import tensorflow as tf

    with _quiet_stderr():  # a CUDA build complains where there is no GPU
        gpus = tf.config.list_physical_devices("GPU") if wanted != "cpu" else []
    if wanted == "gpu" and not gpus:
        build = "a CUDA build" if tf.test.is_built_with_cuda() else "a CPU build"
        raise EnvironmentLacksError(
            "--device gpu",
            expected="a GPU that TensorFlow can use",
            found=f"none; TensorFlow {tf.__version__} is {build}",
            remedy="Install the extra `gpu` on a machine with an NVIDIA GPU, or use --device cpu.",
        )
    if gpus:
        tf.config.set_visible_devices(gpus[:1], "GPU")
        name = tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU")
        return f"GPU ({printable(name)})"
    tf.config.set_visible_devices([], "GPU")
    return "CPU"


@contextlib.contextmanager
def _light_import() -> Iterator[None]:
    """Leave out of an import what costs much and gives nothing here.

    Keras imports matplotlib, where it is there, for plots that we don't draw; and a million objects
    that live as long as the process are not worth the collector's search.
    """
    hidden = "matplotlib" not in sys.modules
    if hidden:
        sys.modules["matplotlib"] = None  # type: ignore[assignment]
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
        if hidden:
            del sys.modules["matplotlib"]


@contextlib.contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Keep file descriptor 2 quiet, and play back what was said when the block fails.

    TensorFlow's C++ code writes there directly, past ``sys.stderr`` and before any log level holds.
    """
    sys.stderr.flush()
    saved = os.dup(2)
    with tempfile.TemporaryFile() as heard:
        os.dup2(heard.fileno(), 2)
        try:
            yield
        except BaseException:
            os.dup2(saved, 2)
            heard.seek(0)
            os.write(2, heard.read())
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)
