"""Clean up before a signal that asks the process to end does so."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# Windows has no SIGHUP, which a terminal sends when it is closed.
_SIGNALS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


class Terminated(BaseException):
    """Such a signal was received, whose number is the argument."""


@contextmanager
def unwinding() -> Iterator[None]:
    """Raise `Terminated` in the block when a signal asks this process to end; exit with 128 + n.

    That is the code which a shell sees when nobody catches signal n. Unlike an end by the signal
    itself, it is the same for a Python program, a container and the table of exit codes.
    """
    received: list[int] = []

    def handle(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)  # a second one ends the process at once
        received.append(number)
        raise Terminated(number)

    # Python lets only the main thread handle signals; `nohup` ignores SIGHUP.
    is_main = threading.current_thread() is threading.main_thread()
    handled = [each for each in _SIGNALS if is_main and signal.getsignal(each) == signal.SIG_DFL]
    for number in handled:
        signal.signal(number, handle)
    try:
        yield
    except Terminated:
        sys.exit(128 + received[0])
    finally:
        for number in handled:
            signal.signal(number, signal.SIG_DFL)
