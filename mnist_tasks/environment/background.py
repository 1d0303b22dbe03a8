"""Run a function in a thread that does not keep the process alive."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

Result = TypeVar("Result")


def start(function: Callable[[], Result]) -> Future[Result]:
    """Start a function in a daemon thread.

    Before it exits, Python waits for the threads of an executor, and a DNS lookup, which has no
    timeout, can take half a minute.
    """
    future: Future[Result] = Future()

    def run() -> None:
        try:
            future.set_result(function())
        except BaseException as error:  # raised again by future.result()
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future
