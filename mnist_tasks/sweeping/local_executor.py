"""Run a sweep in worker processes on this machine.

If a worker dies, only its own run is lost, and another worker repeats it. A worker runs many jobs:
the second run of a process yields the same bytes as the first, as long as the thread counts stay
the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from functools import partial
from multiprocessing import connection
from pathlib import Path

from mnist_tasks.environment import gpu, machine
from mnist_tasks.errors import EnvironmentProblemError
from mnist_tasks.sweeping.events import Attempt, Event, Started
from mnist_tasks.sweeping.job import Images
from mnist_tasks.sweeping.plan import Job
from mnist_tasks.sweeping.worker import Worker


def max_processes(*, threads: int, device: str) -> int:
    """Return how many trainings fit into this machine at once, at least 1; one on a GPU.

    Parameters
    ----------
    threads
        Threads of each process.
    """
    return machine.max_processes(threads=threads) if device == "cpu" else 1


def require_device(device: str) -> None:
    """Raise an error if this machine lacks the device, before every run fails.

    Raises
    ------
    EnvironmentProblemError
        `device` is ``gpu``, and this machine has none.
    """
    if device == "gpu" and not gpu.detect().gpus:
        raise EnvironmentProblemError(
            "--device gpu",
            expected="an NVIDIA GPU on this machine",
            found="none",
            remedy="Run `mnist-tasks doctor` for details, or use --device cpu.",
        )


def run(
    jobs: Sequence[Job], *, load: Callable[[], Images], workers: int, folder: Path
) -> Generator[Event]:
    """Run jobs in worker processes and yield what happens to each.

    Parameters
    ----------
    load
        Returns the images; called once in each worker.
    workers
        Maximum number of processes, at least 1.
    folder
        Folder for the workers' logs and temporary files.

    Raises
    ------
    EnvironmentProblemError
        A process can't be started.
    """
    waiting = deque(Attempt(job=job) for job in jobs)
    pool: list[Worker] = []
    try:
        while waiting or any(worker.attempt for worker in pool):
            yield from _assign(waiting, pool, workers, partial(_start_worker, load, folder))
            busy = {worker.connection: worker for worker in pool if worker.attempt}
            for ready in connection.wait(list(busy)):
                worker = busy[ready]  # type: ignore[index]
                event, retry = worker.receive()
                yield event
                if retry:
                    waiting.appendleft(retry)
                if worker.is_spent:
                    worker.close()
                    pool.remove(worker)
    finally:
        for worker in pool:
            worker.close()


def _start_worker(load: Callable[[], Images], folder: Path) -> Worker:
    try:
        return Worker(load, folder)
    except OSError as error:
        raise EnvironmentProblemError(
            "the workers of the sweep",
            expected="room for another process and its pipes",
            found=error.strerror or str(error),
            remedy="Rerun with fewer --workers. Finished runs are kept.",
        ) from error


def _assign(
    waiting: deque[Attempt], pool: list[Worker], size: int, start_worker: Callable[[], Worker]
) -> Iterator[Event]:
    """Give every idle worker a run, starting workers until the pool has its size."""
    while waiting:
        idle = next((worker for worker in pool if not worker.attempt), None)
        if idle is None:
            if len(pool) == size:
                return
            idle = start_worker()
            pool.append(idle)
        attempt = next((each for each in waiting if idle.can_run(each.job)), None)
        if attempt is None:
            idle.close()
            pool.remove(idle)
            continue
        waiting.remove(attempt)
        idle.start(attempt)
        yield Started(job=attempt.job, process=idle.process.pid)
