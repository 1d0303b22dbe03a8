"""In a process of an export: read the request of the working folder, and write the answer."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from mnist_tasks.exporting import protocol
from mnist_tasks.vetting.untrusted_text import RefusedError

Request = TypeVar("Request", protocol.Convert, protocol.Run)
Call = Callable[[NDArray[np.float32]], Any]
_WARM_UP_RUNS = 20
_FULL = {errno.ENOSPC, errno.EFBIG, errno.ENOMEM, getattr(errno, "EDQUOT", errno.ENOSPC)}


def answer(kind: type[Request], work: Callable[[Request], protocol.Result]) -> None:
    """Do the work of the request, write its result, and end this process."""
    result: protocol.Result
    try:
        result = work(msgspec.json.decode(Path(protocol.REQUEST).read_bytes(), type=kind))
    except Exception as error:
        result = _failure(error)
    Path(protocol.RESULT).write_bytes(msgspec.json.encode(result))
    os._exit(0)  # a regular exit would take TensorFlow a quarter of a second


def _failure(error: Exception) -> protocol.Failed:
    if isinstance(error, RefusedError):
        return protocol.Failed(cause="model", found=error.found)
    found = f"{type(error).__name__}: {error}"
    if isinstance(error, ImportError):
        library = (error.name or "TensorFlow").partition(".")[0]
        return protocol.Failed(cause="library", found=found, library=library)
    is_full = isinstance(error, OSError) and error.errno in _FULL
    # TensorFlow raises ResourceExhaustedError where it runs out of memory or disk space.
    if is_full or isinstance(error, MemoryError) or "ResourceExhausted" in type(error).__name__:
        return protocol.Failed(cause="room", found=found)
    return protocol.Failed(cause="model", found=found)


def inputs() -> NDArray[np.float32]:
    """Return the inputs, which stay on disk until they are used: (n, *shape)."""
    mapped: NDArray[np.float32] = np.load(protocol.INPUTS, mmap_mode="r")
    return mapped


def one_at_a_time(
    call: Call, given: NDArray[np.float32], runs: int
) -> tuple[list[float], NDArray[np.float32]]:
    """Predict the first inputs one at a time, after some calls that are not measured.

    Returns
    -------
    seconds
        Of each call: from an array to an array.
    outputs : (runs, classes) float32
    """
    seconds, outputs = [], []
    images = [np.array(image[None]) for image in given[:runs]]
    for _ in range(_WARM_UP_RUNS):
        np.asarray(call(images[0]))
    for image in images:
        started = time.perf_counter()
        found = np.asarray(call(image), np.float32)
        seconds.append(time.perf_counter() - started)
        outputs.append(found)
    return seconds, np.concatenate(outputs)


def use_one_thread() -> None:
    """Make TensorFlow use one thread, before it has started."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
