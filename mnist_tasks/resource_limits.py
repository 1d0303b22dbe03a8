"""What the system lets this process use: where that is too little, TensorFlow aborts."""

from __future__ import annotations

import errno
import sys
import threading
from typing import Final

from mnist_tasks.errors import EnvironmentProblemError

REASON: Final = "resource-limit"
TENSORFLOW_BYTES = 2 * 1024**3  # of address space; a training on two cores has used 1.9 GB
TENSORFLOW_FILES = 16  # open at once
_SPARE_THREADS = 4
_FILES = (errno.EMFILE, errno.ENFILE)
_NO_THREAD = "can't start new thread"  # as Python words it
# How each of TensorFlow's errors words it that a GPU has too little free memory. The first of
# `InternalError` was seen on an H200; the second: https://github.com/tensorflow/tensorflow/issues/7025
_GPU_IS_FULL = {
    "ResourceExhaustedError": ("device:GPU:",),
    "InternalError": (
        "No blas support for stream",
        "Dst tensor is not initialized",
        "CUDA_ERROR_OUT_OF_MEMORY",
    ),
}


def require_for_tensorflow(*, threads: int) -> None:
    """Raise an error if TensorFlow could not be loaded or start its threads.

    Raises
    ------
    EnvironmentProblemError
        The address space, the open files or the threads of this process are limited too much.
    """
    if sys.platform != "win32":
        import resource

        for kind, least, unit, option in (
            (resource.RLIMIT_AS, TENSORFLOW_BYTES, "bytes of address space", "-v"),
            (resource.RLIMIT_NOFILE, TENSORFLOW_FILES, "open files", "-n"),
        ):
            allowed = resource.getrlimit(kind)[0]
            if allowed != resource.RLIM_INFINITY and allowed < least:
                raise _limited(f"{least:,} {unit}", f"a limit of {allowed:,}", option)
    _require_threads(2 * threads + _SPARE_THREADS)


def exhausted(error: BaseException) -> EnvironmentProblemError | None:
    """Return the error for an exception that says what has run out; ``None`` for any other."""
    # TensorFlow's own errors are known by their names, as TensorFlow may not be loaded.
    kind = type(error).__name__
    if any(words in str(error) for words in _GPU_IS_FULL.get(kind, ())):
        return EnvironmentProblemError(
            "the GPU",
            expected="memory for this command",
            found="not enough is free",
            remedy="`nvidia-smi` lists what uses it: wait for that to end, train with a smaller "
            "batch, or use --device cpu.",
            reason=REASON,
        )
    if isinstance(error, MemoryError) or kind == "ResourceExhaustedError":
        return _limited("memory for this command", "not enough", "-v")
    if isinstance(error, OSError) and error.errno in _FILES:
        return _limited("open files for this command", "too few are allowed", "-n")
    if isinstance(error, RuntimeError) and str(error) == _NO_THREAD:
        return _limited("threads for this command", "too few are allowed", "-u")
    return None


def _require_threads(count: int) -> None:
    """Start threads and end them: how many are allowed depends on what else is running."""
    end = threading.Event()
    started = []
    try:
        for _ in range(count):
            thread = threading.Thread(target=end.wait, daemon=True)
            thread.start()
            started.append(thread)
    except RuntimeError as error:
        raise _limited(f"room for {count} threads", f"{len(started)}", "-u") from error
    finally:
        end.set()
        for thread in started:
            thread.join()


def _limited(expected: str, found: str, option: str) -> EnvironmentProblemError:
    whose = "the memory" if option == "-v" else "the limit"
    return EnvironmentProblemError(
        "this process",
        expected=expected,
        found=found,
        remedy=f"Raise {whose} that the shell (`ulimit {option}`), the container or the job gives "
        "it, then rerun.",
        reason=REASON,
    )
