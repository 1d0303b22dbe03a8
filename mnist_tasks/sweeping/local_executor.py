"""The engine on this machine: worker processes, each with its own TensorFlow, run after run.

A worker that dies takes down nobody but itself: its run goes to another one. A run needs no process
of its own, since a second run in a process gives the same bytes as a first; only other threads do.
"""

from __future__ import annotations

from collections import deque
from multiprocessing import connection
from typing import TYPE_CHECKING

from mnist_tasks import config
from mnist_tasks.environment import gpu, machine
from mnist_tasks.errors import EnvironmentProblemError
from mnist_tasks.sweeping.events import Began, Task
from mnist_tasks.sweeping.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence
    from pathlib import Path

    from mnist_tasks.sweeping.events import Event
    from mnist_tasks.sweeping.job import Images
    from mnist_tasks.sweeping.plan import Job

WORKER_BYTES = 1024**3  # what a worker is reckoned with; measured: 0.83 GiB


def most_workers(*, threads: int, device: str) -> int:
    """Return how many runs at once the cores and the memory of this machine allow, at least one.

    Runs on a GPU are not shared out: one has it at a time.
    """
    if device != "cpu":
        return 1
    memory = machine.measure_memory()
    bounds = [each // WORKER_BYTES for each in (memory.available, memory.limit) if each is not None]
    return max(1, min([config.available_cores() // threads, *bounds]))


def require(device: str) -> None:
    """Refuse a device that this machine lacks, before every run of a sweep fails for it.

    Raises
    ------
    EnvironmentProblemError
        A GPU is asked for, and the machine has none.
    """
    if device == "gpu" and not gpu.detect().gpus:
        raise EnvironmentProblemError(
            "--device gpu",
            expected="an NVIDIA GPU on this machine",
            found="none",
            remedy="`mnist-tasks doctor` says more; or use --device cpu.",
        )


def run(
    jobs: Sequence[Job], *, load: Callable[[], Images], workers: int, folder: Path
) -> Generator[Event]:
    """Run jobs in worker processes and tell what becomes of each.

    Parameters
    ----------
    load
        Returns the images; called once in each worker.
    workers
        How many processes at once, at least 1.
    folder
        For the workers' temporary files and what they say.

    Raises
    ------
    EnvironmentProblemError
        The system gives no further process.
    """
    waiting = deque(Task(job=job) for job in jobs)
    crew: list[Worker] = []
    try:
        while waiting or any(worker.task for worker in crew):
            yield from _give(waiting, crew, workers, lambda: _hire(load, folder))
            busy = {worker.connection: worker for worker in crew if worker.task}
            for ready in connection.wait(list(busy)):
                worker = busy[ready]  # type: ignore[index]
                event, again = worker.hear()
                yield event
                if again:
                    waiting.appendleft(again)
                if worker.is_spent:
                    worker.end()
                    crew.remove(worker)
    finally:
        for worker in crew:
            worker.end()


def _hire(load: Callable[[], Images], folder: Path) -> Worker:
    try:
        return Worker(load, folder)
    except OSError as error:
        raise EnvironmentProblemError(
            "the workers of the sweep",
            expected="another process, and open files to speak with it",
            found=error.strerror or str(error),
            remedy="Ask for fewer with --workers. What is done stays.",
        ) from error


def _give(
    waiting: deque[Task], crew: list[Worker], most: int, hire: Callable[[], Worker]
) -> Iterator[Event]:
    """Give a run to every worker that has none, and hire as many as may be."""
    while waiting:
        idle = next((worker for worker in crew if not worker.task), None)
        if idle is None:
            if len(crew) == most:
                return
            idle = hire()
            crew.append(idle)
        fitting = next((task for task in waiting if idle.fits(task.job)), None)
        if fitting is None:
            idle.end()
            crew.remove(idle)
            continue
        waiting.remove(fitting)
        idle.take(fitting)
        yield Began(job=fitting.job, process=idle.process.pid)
