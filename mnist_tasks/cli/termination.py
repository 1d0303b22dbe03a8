"""Clean up before a signal that asks the process to end does so."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from types import FrameType

# Windows has no SIGHUP, which a terminal sends when it is closed.
_SIGNALS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]

# How long until a signal whose exception was lost is sent again. The finalizer has ended by then;
# if another one is running, the signal is sent once more.
_SECONDS = 0.05


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

    def handle_again(number: int) -> None:
        if number in handled:
            signal.signal(number, handle)

    # Python lets only the main thread handle signals; `nohup` ignores SIGHUP.
    is_main = threading.current_thread() is threading.main_thread()
    handled = [each for each in _SIGNALS if is_main and signal.getsignal(each) == signal.SIG_DFL]
    for number in handled:
        signal.signal(number, handle)
    try:
        with _never_lost(handle_again) if is_main else nullcontext():
            yield
    except Terminated:
        sys.exit(128 + received[0])
    finally:
        for number in handled:
            signal.signal(number, signal.SIG_DFL)


@contextmanager
def _never_lost(prepare: Callable[[int], None]) -> Iterator[None]:
    """Send a signal again, after `prepare`, if Python drops the exception that it raised.

    Python drops whatever a finalizer raises (`__del__`, or a callback of a weak reference), and
    runs handlers of signals within them, too.
    """
    before = sys.unraisablehook

    def hook(dropped: sys.UnraisableHookArgs) -> None:
        error = dropped.exc_value
        if isinstance(error, Terminated):
            number = error.args[0]
        elif isinstance(error, KeyboardInterrupt):
            number = signal.SIGINT
        else:
            before(dropped)
            return
        prepare(number)
        threading.Timer(_SECONDS, _send, [number]).start()

    sys.unraisablehook = hook
    try:
        yield
    finally:
        sys.unraisablehook = before


def _send(number: int) -> None:
    if sys.platform == "win32":
        signal.raise_signal(number)  # os.kill would end the process without a word
    else:
        os.kill(os.getpid(), number)  # unlike raise_signal, it wakes the main thread
