"""TensorFlow itself: its quiet import, its devices, threads, seeds and determinism."""

from __future__ import annotations

import os
import platform
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mnist_tasks import fast_import, install
from mnist_tasks.config import available_cores
from mnist_tasks.errors import EnvironmentProblemError, printable
from mnist_tasks.records import Machine
from mnist_tasks.training import gpus

if TYPE_CHECKING:
    from mnist_tasks.config import TrainingConfig
    from mnist_tasks.training.trainer import Trainer


def import_tensorflow() -> None:
    """Import TensorFlow and Keras without their start-up lines.

    Raises
    ------
    EnvironmentProblemError
        TensorFlow is not installed, or can't be loaded.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        with fast_import.quiet_stderr(), fast_import.light():
            import keras
            import tensorflow as tf
            from absl import logging
    except ModuleNotFoundError as error:
        raise EnvironmentProblemError(
            "TensorFlow",
            expected="TensorFlow 2.21 with Keras 3",
            found=f"the module {error.name} is not installed",
            remedy=f"Run {install.command()}.",
        ) from error
    except (ImportError, OSError) as error:
        raise EnvironmentProblemError(
            "TensorFlow",
            expected="TensorFlow 2.21 with Keras 3",
            found=f"it can't be loaded: {printable(str(error))}",
            remedy="Check that `tensorflow` and `tensorflow-cpu` are not both installed.",
        ) from error
    logging.set_verbosity(logging.ERROR)  # "saving your model as an HDF5 file ... legacy"
    tf.get_logger().setLevel("ERROR")
    keras.config.set_floatx("float32")
    keras.config.set_image_data_format("channels_last")


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a run computes.

    Attributes
    ----------
    strategy
        Of `tf.distribute`; ``None`` for one device.
    micro_batches
        In how many parts each replica computes its share of a batch.
    note
        What the user should know of the choice of devices.
    """

    machine: Machine
    strategy: Any = None
    micro_batches: int = 1
    note: str = ""

    def scope(self) -> AbstractContextManager[Any]:
        """Return the context in which the model and its optimizer are made."""
        return nullcontext() if self.strategy is None else self.strategy.scope()

    def trainer(self, model: Any, optimizer: Any, *, smallest: int) -> Trainer:
        """Return what trains a Keras model with an optimizer, both made in `scope`.

        Parameters
        ----------
        smallest
            The number of images of the smallest batch.
        """
        micro_batches = min(self.micro_batches, smallest)
        if self.strategy is None:
            from mnist_tasks.training.trainer import Trainer

            return Trainer(model, optimizer, micro_batches=micro_batches)
        from mnist_tasks.training.replica_trainer import ReplicaTrainer

        return ReplicaTrainer(model, optimizer, micro_batches=micro_batches, strategy=self.strategy)


def prepare(config: TrainingConfig, *, micro_batches: int) -> Place:
    """Set the devices, the threads and the seed of a run; the import comes first.

    The same seed, thread count and machine then give the same bytes.

    Parameters
    ----------
    micro_batches
        How many parts of a batch are computed side by side: replicas take of them, and the threads
        are shared out to them.

    Raises
    ------
    EnvironmentProblemError
        A GPU was asked for and TensorFlow sees none, or TensorFlow already runs in this process
        with other devices or threads.
    """
    import keras
    import tensorflow as tf

    try:
        chosen = gpus.choose(config.device)
        here = len(chosen.names)
        micro_batches_each = max(1, micro_batches // here)
        parts = here * micro_batches_each
        tf.config.threading.set_intra_op_parallelism_threads(max(1, config.threads // parts))
        tf.config.threading.set_inter_op_parallelism_threads(config.threads)
        # A second run in this process gives the same bytes as a first one: the names of layers,
        # which are counted up, are in the file.
        keras.utils.clear_session()
        keras.utils.set_random_seed(config.seed)
        tf.config.experimental.enable_op_determinism()
        strategy = tf.distribute.MirroredStrategy(chosen.names) if here > 1 else None
    except RuntimeError as error:
        raise EnvironmentProblemError(
            "TensorFlow",
            expected="a process in which it has not started yet",
            found=printable(str(error)),
            remedy="Train in a process of its own.",
        ) from error
    machine = Machine(
        device=chosen.label,
        threads=config.threads,
        cores=available_cores(),
        platform=f"{platform.system()} {platform.machine()}",
        versions=versions(),
        replicas=here,
        precision=config.precision,
    )
    return Place(
        machine=machine, strategy=strategy, micro_batches=micro_batches_each, note=chosen.note
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
