"""Import TensorFlow quietly, and set its devices, threads and seeds for reproducible runs."""

from __future__ import annotations

import os
import platform
import random
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from mnist_tasks import fast_import, install, resource_limits, temporary
from mnist_tasks.config import TrainingConfig, available_cores
from mnist_tasks.environment.machine import processor
from mnist_tasks.errors import EnvironmentProblemError, printable
from mnist_tasks.records import Machine
from mnist_tasks.training import devices
from mnist_tasks.version import VERSION


def import_tensorflow() -> bool:
    """Import TensorFlow and Keras without their start-up messages, or raise an error.

    Returns
    -------
    is_new
        Whether this process had not imported Keras before, so that Keras has no state.
    """
    is_new = "keras" not in sys.modules
    if "tensorflow" not in sys.modules:
        resource_limits.require_for_tensorflow(threads=available_cores())
    # Errors reach the caller as exceptions. What TensorFlow logs as one, of a GPU that is missing
    # or of an optimization that it skips, is none to the user.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        with fast_import.quiet_stderr(), fast_import.light():
            import keras
            import tensorflow as tf
            from absl import logging
    except (ImportError, OSError) as error:
        found = f"it can't be loaded: {printable(str(error))}"
        remedy = "Check that `tensorflow` and `tensorflow-cpu` are not both installed."
        if isinstance(error, ModuleNotFoundError):
            found = f"the module {error.name} is not installed"
            remedy = f"Run {install.command()}."
        raise EnvironmentProblemError(
            "TensorFlow", expected="TensorFlow 2.21 with Keras 3", found=found, remedy=remedy
        ) from error
    logging.set_verbosity(logging.ERROR)  # "saving your model as an HDF5 file ... legacy"
    tf.get_logger().setLevel("ERROR")
    keras.config.set_floatx("float32")
    keras.config.set_image_data_format("channels_last")
    return is_new


@dataclass(frozen=True, kw_only=True)
class Placement:
    """How a run is distributed over devices.

    Attributes
    ----------
    strategy
        The strategy of `tf.distribute` in whose scope the model is built and trained.
    micro_batches
        Number of parts in which each replica computes its share of a batch.
    note
        What the user should know about the choice of devices.
    """

    machine: Machine
    strategy: Any
    micro_batches: int
    note: str


def prepare(config: TrainingConfig, *, micro_batches: int, is_new: bool = False) -> Placement:
    """Set the devices, the threads and the seed of a run, after `import_tensorflow`.

    The same seed, thread count and machine then give the same bytes.

    Parameters
    ----------
    micro_batches
        Number of parts of a batch that are computed in parallel; they are distributed over the
        replicas, and the threads over them.
    is_new
        Whether Keras has no state in this process, as `import_tensorflow` says.

    Raises
    ------
    EnvironmentProblemError
        TensorFlow can't use a GPU that was requested, or has already started in this process with
        other devices or threads.
    """
    import keras
    import tensorflow as tf

    try:
        chosen = devices.choose(config.device)
        replicas = len(chosen.names)
        micro_batches = max(1, micro_batches // replicas)
        threads_each = max(1, config.threads // (replicas * micro_batches))
        tf.config.threading.set_intra_op_parallelism_threads(threads_each)
        tf.config.threading.set_inter_op_parallelism_threads(config.threads)
        # The model file has the names of the layers, which Keras numbers: start again at 1, so that
        # a second run in this process gives the same bytes.
        if not is_new:  # else it would only load `tf.compat.v1`
            keras.utils.clear_session()
        keras.utils.set_random_seed(config.seed)
        tf.config.experimental.enable_op_determinism()
        strategy = tf.distribute.get_strategy()  # the default one, for a single device
        if replicas > 1:
            strategy = tf.distribute.MirroredStrategy(chosen.names)
    except RuntimeError as error:
        raise EnvironmentProblemError(
            "TensorFlow",
            expected="a process in which it has not started, or has the same devices and threads",
            found=printable(str(error)),
            remedy="Train in a new process, or with the device, threads and recipe of the first "
            "training.",
        ) from error
    machine = Machine(
        device=chosen.label,
        threads=config.threads,
        cores=available_cores(),
        platform=f"{platform.system()} {platform.machine()}",
        versions={
            "mnist-tasks": VERSION,
            "python": platform.python_version(),
            "tensorflow": tf.__version__,
            "keras": keras.__version__,
            "numpy": np.__version__,
        },
        replicas=replicas,
        precision=config.precision,
        cpu=processor(),
    )
    return Placement(
        machine=machine, strategy=strategy, micro_batches=micro_batches, note=chosen.note
    )


@contextmanager
def temporary_files() -> Iterator[None]:
    """Have TensorFlow write its temporary files in this block to a folder that is always removed.

    It writes the Python functions that it has compiled, which a killed process would leave.

    Raises
    ------
    EnvironmentProblemError
        There is no room for the folder.
    """
    with temporary.folder() as folder:
        before = tempfile.tempdir
        with suppress(UnicodeEncodeError):  # it can't write to another path
            str(folder).encode()
            tempfile.tempdir = str(folder)
        try:
            yield
        finally:
            tempfile.tempdir = before


@contextmanager
def preserved_state() -> Iterator[None]:
    """Restore the random state of Python and NumPy and the environment variables afterwards.

    TensorFlow keeps its threads, devices, deterministic kernels and its own seed: it sets most of
    them once per process.
    """
    environment = dict(os.environ)
    python_state, numpy_state = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)  # noqa: NPY002
        for name in os.environ.keys() - environment.keys():
            del os.environ[name]
        os.environ.update(environment)
