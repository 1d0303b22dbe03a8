"""A process that trains one run after the other, and what becomes of it."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING, Any

from mnist_tasks import parent_death
from mnist_tasks.errors import printable
from mnist_tasks.sweeping import job as job_module
from mnist_tasks.sweeping.events import Ended

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection
    from pathlib import Path

    from mnist_tasks.sweeping.events import Event, Task
    from mnist_tasks.sweeping.job import Images
    from mnist_tasks.sweeping.plan import Job

MOST_BYTES = 3 * 1024**3 // 2  # past which a new one takes its place
_SECONDS_TO_END = 5.0
_LAST_WORDS = 300  # characters


class Worker:
    """A process that runs one job after the other."""

    def __init__(self, load: Callable[[], Images], folder: Path) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._log = folder / f"worker-{time.monotonic_ns()}.log"
        self.process = context.Process(
            target=_serve, args=(theirs, load, self._log, os.getpid()), daemon=True
        )
        with deaf_to_ctrl_c():
            self.process.start()
        theirs.close()
        self.task: Task | None = None
        self.is_spent = False
        self._threads: tuple[int, int] | None = None

    def fits(self, job: Job) -> bool:
        """Whether the process can run a job: TensorFlow's threads are set once in a process."""
        return self._threads in (None, (job.config.threads, job.micro_batches))

    def take(self, task: Task) -> None:
        """Begin a run."""
        self.task = task
        self._threads = (task.job.config.threads, task.job.micro_batches)
        with contextlib.suppress(OSError):  # a process that is gone is noticed when it is heard
            self.connection.send((task.job, task.attempt))

    def hear(self) -> tuple[Event, Task | None]:
        """Return what has become of the run, and its next attempt where the process has died."""
        task, self.task = self.task, None
        assert task is not None  # noqa: S101 - only those that have a run are heard
        try:
            outcome, used = self.connection.recv()
        except (EOFError, OSError):
            self.is_spent = True
            return task.lost(self._death())
        self.is_spent = used > MOST_BYTES
        return Ended(job=task.job, outcome=outcome), None

    def end(self) -> None:
        """End the process, at once where it is at work."""
        self.connection.close()
        if self.task:
            self.process.kill()
        self.process.join(_SECONDS_TO_END)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()

    def _death(self) -> str:
        self.process.join(_SECONDS_TO_END)
        code = self.process.exitcode
        how = f"exit code {code}"
        if code is not None and code < 0:
            with contextlib.suppress(ValueError):
                how = signal.Signals(-code).name
        words = self._log.read_bytes()[-_LAST_WORDS:] if self._log.is_file() else b""
        said = printable(words.decode(errors="replace"), limit=_LAST_WORDS)
        return f"its worker died ({how}){': …' if said else ''}{said}"


def _serve(
    to_parent: Connection[Any, Any], load: Callable[[], Images], log: Path, parent: int
) -> None:
    """Run what comes, in the worker's process, until its parent is gone."""
    with log.open("wb") as file:  # a native crash shall not write into the middle of a table
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    tempfile.tempdir = str(log.parent)
    parent_death.exit_with_parent(parent)
    images = load()
    while True:
        try:
            job, number = to_parent.recv()
        except EOFError:
            return
        to_parent.send((job_module.attempt(job, images, number), _peak_bytes()))


def _peak_bytes() -> int:
    """Return the most memory that this process has held; 0 where the system doesn't tell."""
    if sys.platform == "win32":
        return 0
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


@contextlib.contextmanager
def deaf_to_ctrl_c() -> Iterator[None]:
    """Start processes that Ctrl-C doesn't reach: their parent hears it, and ends them.

    Blocking it is not enough for the parent: another thread may hear it, and Python then stops the
    main thread in the middle of what it tells the process that begins.
    """
    if sys.platform == "win32" or threading.current_thread() is not threading.main_thread():
        yield
        return
    resource_tracker.ensure_running()  # its start, part of the first process's, unblocks Ctrl-C
    heard: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: heard.append(number))
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        signal.signal(signal.SIGINT, before)
    if heard:
        signal.raise_signal(signal.SIGINT)
