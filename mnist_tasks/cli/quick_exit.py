"""End a process without freeing its memory piece by piece."""

from __future__ import annotations

import atexit
import os
import sys
import threading


def leave(code: object) -> None:
    """End this process as Python does, but let the system free the memory that TensorFlow takes.

    Python would free its million objects one by one: 0.2 of the 6.7 s of processor time of a small
    training. Registered functions are called, and what is still buffered is written.

    Return without TensorFlow, and where Python has to wait for another thread.
    """
    this = threading.current_thread()
    others = [each for each in threading.enumerate() if each is not this and not each.daemon]
    if others or "tensorflow" not in sys.modules or not isinstance(code, int):
        return
    atexit._run_exitfuncs()  # noqa: SLF001 - as `multiprocessing` ends its processes
    for stream in (sys.stdout, sys.stderr):
        if stream and not stream.closed:  # such a function may close it, as absl's does
            stream.flush()
    os._exit(code)
