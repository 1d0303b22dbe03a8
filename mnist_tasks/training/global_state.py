"""What a training changes in its process and can be put back."""

from __future__ import annotations

import os
import random
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def preserved() -> Iterator[None]:
    """Put back the random state of Python and NumPy and the environment variables afterwards.

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
