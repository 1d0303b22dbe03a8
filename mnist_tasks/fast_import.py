"""Import TensorFlow and Keras quickly and without their start-up messages."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
import tempfile
from collections.abc import Iterator


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
    """Buffer what is written to file descriptor 2, and write it only if the block raises.

    TensorFlow's C++ code writes there directly, past ``sys.stderr`` and before any log level
    applies.
    """
    sys.stderr.flush()
    saved = os.dup(2)
    with tempfile.TemporaryFile() as held_back:
        os.dup2(held_back.fileno(), 2)
        try:
            yield
        except BaseException:
            os.dup2(saved, 2)
            held_back.seek(0)
            os.write(2, held_back.read())
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)
