"""Work beside other work, in threads that don't keep the process from its end."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")


def begin(work: Callable[[], Result]) -> Future[Result]:
    """Start to work.

    An executor's threads are waited for when Python ends, and the system's look-up of a server's
    name can take half a minute that no time-out ends.
    """
    future: Future[Result] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # it is raised again where it is waited for
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future
