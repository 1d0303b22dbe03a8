"""Import TensorFlow and Keras quickly and without their start-up messages."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
import tempfile
from collections.abc import Iterator
from typing import IO


@contextlib.contextmanager
def light() -> Iterator[None]:
    """Make the import of Keras in this block faster, with TensorFlow as its backend.

    Keras imports matplotlib if it is installed, for plots that are not used here. The garbage
    collector would scan the million objects of the import again and again, although they live as
    long as the process.
    """
    # ~/.keras/keras.json or the user's environment may name another backend.
    os.environ["KERAS_BACKEND"] = "tensorflow"
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
def quiet_stderr() -> Iterator[None]:
    """Buffer what is written to file descriptor 2, and write it only if the block fails.

    A signal that ends the block is not a failure.

    TensorFlow's C++ code writes there directly, past ``sys.stderr`` and before any log level
    applies.
    """
    buffered = _buffered()
    if buffered is None:
        yield
        return
    saved, held_back = buffered
    with held_back:
        try:
            yield
        except Exception:
            os.dup2(saved, 2)
            held_back.seek(0)
            with contextlib.suppress(OSError):  # the error is what counts
                os.write(2, held_back.read())
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)


def _buffered() -> tuple[int, IO[bytes]] | None:
    """Let descriptor 2 write to a temporary file; return a copy of the descriptor, and the file.

    Return ``None`` if the descriptor is closed, or there is no room for the file.
    """
    with contextlib.suppress(OSError):
        if sys.stderr is not None:
            sys.stderr.flush()
        held_back = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as TensorFlow loads
        saved = os.dup(2)
        os.dup2(held_back.fileno(), 2)
        return saved, held_back
    return None
