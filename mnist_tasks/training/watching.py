"""A worker is watched over by another process, since TensorFlow hangs where no Python is heard.

While it connects the workers it holds Python's lock, in C++: one that dies in that second would
leave the others waiting for an hour, deaf to Ctrl-C.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from typing import TYPE_CHECKING

from mnist_tasks import lifeline
from mnist_tasks.errors import INTERRUPTED, EnvironmentLacksError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mnist_tasks.training.cluster import Cluster

CONNECT_WITHIN = 40.0  # seconds; it takes about one
_CONNECTING, _CONNECTED = b"?", b"!"
_GRACE = 3.0  # seconds
_told: int | None = None  # where the watched process says how far it is


def watch(cluster: Cluster, *, connect_within: float = CONNECT_WITHIN) -> None:
    """Return in a new process, and end this one with that one's exit code.

    To be called before any thread is started. Where a process can't be split, it returns at once.

    Raises
    ------
    EnvironmentLacksError
        TensorFlow did not connect the workers in time; the new process was ended.
    """
    global _told  # noqa: PLW0603 - there is one watcher of a process
    if not hasattr(os, "fork"):
        return
    watcher = os.getpid()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        lifeline.end_with(watcher)
        os.close(reading)
        _told = writing
        return
    os.close(writing)
    try:
        in_time = _hear(reading, connect_within)
    except KeyboardInterrupt:
        code = _end(child)
        if code == INTERRUPTED:
            raise SystemExit(code) from None  # it has said so itself
        raise
    if not in_time:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        others = ", ".join(f"worker {n} ({where})" for n, where in cluster.others.items())
        raise EnvironmentLacksError(
            others,
            expected=f"TensorFlow to connect the workers within {connect_within:g} s",
            found="it still waits for one that was there before",
            remedy="Start all workers anew. Nothing was saved; an older model file is as it was.",
        )
    raise SystemExit(_code(os.waitpid(child, 0)[1]))


@contextlib.contextmanager
def connecting() -> Iterator[None]:
    """Tell the watcher, where there is one, that this process may hang meanwhile."""
    if _told is not None:
        os.write(_told, _CONNECTING)
    yield
    if _told is not None:
        os.write(_told, _CONNECTED)


def _hear(reading: int, connect_within: float) -> bool:
    """Return when the process has ended, or with ``False`` when it takes too long to connect."""
    end: float | None = None
    while True:
        left = None if end is None else max(0.0, end - time.monotonic())
        if not select.select([reading], [], [], left)[0]:
            return False
        said = os.read(reading, 1)
        if not said:
            return True
        end = time.monotonic() + connect_within if said == _CONNECTING else None


def _end(child: int) -> int:
    """End a process that Ctrl-C may have reached as well, and return its exit code."""
    for number in (0, signal.SIGINT, signal.SIGKILL):
        os.kill(child, number)
        end = time.monotonic() + (_GRACE if number else _GRACE / 3)
        while time.monotonic() < end or number == signal.SIGKILL:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                return _code(status)
            time.sleep(0.02)
    raise AssertionError("a process outlives SIGKILL")


def _code(status: int) -> int:
    """Return the exit code that a shell would give."""
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code
