"""A worker process that trains one model after another."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from mnist_tasks import parent_death
from mnist_tasks.errors import printable
from mnist_tasks.sweeping import job as job_module
from mnist_tasks.sweeping.events import Attempt, Event, Finished
from mnist_tasks.sweeping.job import Failed, Images
from mnist_tasks.sweeping.plan import Job

MAX_BYTES = 3 * 1024**3 // 2  # a worker that used more memory is replaced
_EXIT_TIMEOUT = 5.0  # seconds
_LOG_TAIL = 300  # characters


class Worker:
    """A worker process, seen from its parent.

    Attributes
    ----------
    attempt
        The run in progress; ``None`` while the worker is idle.
    is_spent
        Whether the process died or used too much memory: close it and start another.
    """

    def __init__(self, load: Callable[[], Images], folder: Path) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, child_connection = context.Pipe()
        self._log = folder / f"worker-{time.monotonic_ns()}.log"
        self.process = context.Process(
            target=_serve, args=(child_connection, load, self._log, os.getpid()), daemon=True
        )
        with ctrl_c_blocked():
            self.process.start()
        child_connection.close()
        self.attempt: Attempt | None = None
        self.is_spent = False
        self._threads: tuple[int, int] | None = None

    def can_run(self, job: Job) -> bool:
        """Whether the job needs the process's thread counts, which TensorFlow sets only once."""
        return self._threads in (None, (job.config.threads, job.micro_batches))

    def start(self, attempt: Attempt) -> None:
        """Start a run."""
        self.attempt = attempt
        self._threads = (attempt.job.config.threads, attempt.job.micro_batches)
        with contextlib.suppress(OSError):  # `receive` reports a process that died
            self.connection.send((attempt.job, attempt.number))

    def receive(self) -> tuple[Event, Attempt | None]:
        """Wait for the outcome of the run; also return the next attempt if the process died."""
        attempt, self.attempt = self.attempt, None
        assert attempt is not None  # noqa: S101 - only a worker that is busy is waited for
        try:
            outcome, peak_bytes = self.connection.recv()
        except (EOFError, OSError):
            self.is_spent = True
            return attempt.worker_lost(self._cause_of_death())
        self.is_spent = peak_bytes > MAX_BYTES
        return Finished(job=attempt.job, outcome=outcome), None

    def close(self) -> None:
        """End the process: an idle one exits by itself, a busy one is killed."""
        self.connection.close()
        if self.attempt:
            self.process.kill()
        self.process.join(_EXIT_TIMEOUT)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()

    def _cause_of_death(self) -> str:
        self.process.join(_EXIT_TIMEOUT)
        code = self.process.exitcode
        how = f"exit code {code}"
        if code is not None and code < 0:
            with contextlib.suppress(ValueError):
                how = signal.Signals(-code).name
        tail = self._log.read_bytes()[-_LOG_TAIL:] if self._log.is_file() else b""
        output = printable(tail.decode(errors="replace"), limit=_LOG_TAIL)
        return f"its worker died ({how}){': …' if output else ''}{output}"


def _serve(
    to_parent: Connection[Any, Any], load: Callable[[], Images], log: Path, parent: int
) -> None:
    """Run jobs in the worker process until the parent closes the connection."""
    with log.open("wb") as file:  # output of a native crash must not land in the parent's table
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    with contextlib.suppress(UnicodeEncodeError):  # TensorFlow can't write to another path
        str(log.parent).encode()
        tempfile.tempdir = os.environ["TMPDIR"] = str(log.parent)  # the sweep removes it
    above = multiprocessing.parent_process()
    assert above is not None  # noqa: S101 - this is a worker process
    parent_death.exit_with_parent(parent, above.join)
    images = job_module.loaded(load)
    while True:
        try:
            job, attempt = to_parent.recv()
        except EOFError:
            return
        outcome = images if isinstance(images, Failed) else job_module.run(job, images, attempt)
        to_parent.send((outcome, _peak_bytes()))


def _peak_bytes() -> int:
    """Return the peak memory of this process; 0 on Windows."""
    if sys.platform == "win32":
        return 0
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


@contextlib.contextmanager
def ctrl_c_blocked() -> Iterator[None]:
    """Start processes that ignore Ctrl-C: their parent handles it and ends them.

    Blocking the signal in the main thread is not enough: another thread may receive it, and Python
    would then raise `KeyboardInterrupt` in the main thread, halfway through starting a process.
    """
    if sys.platform == "win32" or threading.current_thread() is not threading.main_thread():
        yield
        return
    resource_tracker.ensure_running()  # starting it later would unblock the signal
    received: list[int] = []
    handler = signal.signal(signal.SIGINT, lambda number, _: received.append(number))
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        signal.signal(signal.SIGINT, handler)
    if received:
        signal.raise_signal(signal.SIGINT)
