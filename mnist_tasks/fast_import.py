"""Imports of heavy libraries: quick, and without their start-up lines."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
import tempfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def light() -> Iterator[None]:
    """Leave out of an import what costs much and gives nothing here.

    Keras imports matplotlib, where it is there, for plots that we don't draw; and a million objects
    that live as long as the process are not worth the collector's search.
    """
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
    """Keep file descriptor 2 quiet, and play back what was said when the block fails.

    TensorFlow's C++ code writes there directly, past ``sys.stderr`` and before any log level holds.
    """
    sys.stderr.flush()
    saved = os.dup(2)
    with tempfile.TemporaryFile() as heard:
        os.dup2(heard.fileno(), 2)
        try:
            yield
        except BaseException:
            os.dup2(saved, 2)
            heard.seek(0)
            os.write(2, heard.read())
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)
