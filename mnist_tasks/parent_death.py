"""End this process when its parent ends, for whatever reason."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time

_PR_SET_PDEATHSIG = 1
_POLL_SECONDS = 0.5


def exit_with_parent(parent: int) -> None:
    """End this process soon after its parent, given by its id; call this in the main thread.

    On Linux the kernel does it, even if Python hangs.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)  # the parent died before the line above
    else:
        threading.Thread(target=_poll, args=(parent,), daemon=True).start()


def _poll(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_POLL_SECONDS)
    os._exit(1)
