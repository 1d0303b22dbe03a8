"""TensorFlow itself: its quiet import, its devices, threads, seeds and determinism."""

from __future__ import annotations

import os
import platform
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mnist_tasks import imports
from mnist_tasks.config import available_cores
from mnist_tasks.errors import EnvironmentLacksError, printable
from mnist_tasks.records import Machine
from mnist_tasks.training import gpus, losing, meeting, watching
from mnist_tasks.training.cluster import VARIABLE

if TYPE_CHECKING:
    from mnist_tasks.config import TrainingConfig
    from mnist_tasks.training.cluster import Cluster
    from mnist_tasks.training.engine import Trainer


def import_tensorflow() -> None:
    """Import TensorFlow and Keras without their start-up lines.

    Raises
    ------
    EnvironmentLacksError
        TensorFlow is not installed, or can't be loaded.
    """
    # A user's ~/.keras/keras.json or environment may name another backend.
    os.environ["KERAS_BACKEND"] = "tensorflow"
    # Of several workers those that end first are reported to the others as an error, also where
    # nothing is wrong; errors that count come as exceptions.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3" if VARIABLE in os.environ else "2")
    try:
        with imports.quiet_stderr(), imports.light():
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


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a run computes.

    Attributes
    ----------
    strategy
        Of `tf.distribute`; ``None`` for one device.
    towers
        In how many parts each replica computes its share of a batch.
    note
        What the user should know of the choice of devices.
    """

    machine: Machine
    strategy: Any = None
    towers: int = 1
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
        towers = min(self.towers, smallest)
        if self.strategy is None:
            from mnist_tasks.training.engine import Trainer

            return Trainer(model, optimizer, towers=towers)
        from mnist_tasks.training.replicas import ReplicaTrainer

        return ReplicaTrainer(model, optimizer, towers=towers, strategy=self.strategy)


def prepare(
    config: TrainingConfig, *, towers: int, cluster: Cluster | None = None, purpose: str = ""
) -> Place:
    """Set the devices, the threads and the seed of a run; the import comes first.

    The same seed, thread count and machine then give the same bytes.

    Parameters
    ----------
    towers
        How many parts of a batch are computed side by side: replicas take of them, and the threads
        are shared out to them.
    cluster, purpose
        The workers that share the run, who wait here for each other, and what each of them wants.

    Raises
    ------
    EnvironmentLacksError
        A GPU was asked for and TensorFlow sees none, a worker does not come, or TensorFlow already
        runs in this process with other devices or threads.
    WrongUsageError
        A worker wants something else.
    """
    import keras
    import tensorflow as tf

    try:
        workers = len(cluster.addresses) if cluster else 1
        chosen = gpus.choose(config.device, may_split=cluster is None)
        here = len(chosen.names)
        towers_each = max(1, towers // (here * workers))
        parts = here * towers_each
        tf.config.threading.set_intra_op_parallelism_threads(max(1, config.threads // parts))
        tf.config.threading.set_inter_op_parallelism_threads(config.threads)
        # A second run in this process gives the same bytes as a first one: the names of layers,
        # which are counted up, are in the file.
        keras.utils.clear_session()
        keras.utils.set_random_seed(config.seed)
        tf.config.experimental.enable_op_determinism()
        strategy: Any = None
        if cluster:
            # TensorFlow takes for granted that each has as many devices.
            meeting.meet(cluster, purpose=f"{purpose}, {here} devices each")
            with losing.noticed(cluster), watching.connecting():
                strategy = tf.distribute.MultiWorkerMirroredStrategy()
        elif here > 1:
            strategy = tf.distribute.MirroredStrategy(chosen.names)
    except RuntimeError as error:
        raise EnvironmentLacksError(
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
        replicas=strategy.num_replicas_in_sync if strategy else 1,
        workers=workers,
        worker=cluster.me if cluster else 0,
        precision=config.precision,
    )
    return Place(machine=machine, strategy=strategy, towers=towers_each, note=chosen.note)


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
