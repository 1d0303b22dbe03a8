"""End this process when its parent ends, for whatever reason."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1


def exit_with_parent(parent: int, wait: Callable[[], object]) -> None:
    """End this process soon after its parent; call this in the main thread.

    Parameters
    ----------
    parent
        Its id, for Linux: see `kill_with_parent`.
    wait
        Return when the parent has ended, for other systems. An id is of no use on Windows, which
        goes on to report it, and where the parent is a launcher in a virtual environment.
    """
    if sys.platform == "linux":
        kill_with_parent(parent)
    else:
        threading.Thread(target=_exit_after, args=(wait,), daemon=True).start()


def kill_with_parent(parent: int) -> None:
    """Have Linux's kernel kill this process when its parent ends, even if Python hangs."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)  # the parent died before the line above


def _exit_after(wait: Callable[[], object]) -> None:
    wait()
    os._exit(1)
