"""TensorFlow says nothing on standard error that is no error."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Run

LOOK_FOR_A_GPU = """
from mnist_tasks.training import tensorflow_setup
tensorflow_setup.import_tensorflow()
import tensorflow as tf
tf.config.list_physical_devices("GPU")
"""


def test_a_gpu_that_is_missing_is_not_logged(python: Callable[..., Run]) -> None:
    """A CUDA build logs an error without one."""
    done = python("-c", LOOK_FOR_A_GPU)
    assert (done.returncode, done.stderr) == (0, "")
