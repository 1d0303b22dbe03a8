"""In the child process, after the static check: import Keras and set its threads."""

from __future__ import annotations

import gc

from mnist_tasks import config, fast_import

_MOST_THREADS = 4


def import_keras() -> None:
    """Import TensorFlow and Keras, and make their results reproducible."""
    with fast_import.light():
        import keras
        import tensorflow as tf
    gc.disable()  # for good: this process ends soon

    # Whole batches are predicted side by side; so any model uses all threads, and one thread for
    # each operation gives the same sums on every machine.
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(threads())
    keras.utils.set_random_seed(0)


def threads() -> int:
    """Return how many batches to predict at once: each thread takes memory, which is limited."""
    return min(_MOST_THREADS, config.available_cores())
