"""Do several checks at once, in threads: a child process does the work of each."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Sequence
from concurrent import futures
from typing import TypeVar

from mnist_tasks.vetting.process import child_process

Item = TypeVar("Item")
Result = TypeVar("Result")
Progress = Callable[[int, int], object]
_POLL_SECONDS = 0.1


def silent(_done: int, _total: int) -> None:
    """Show no progress."""


def in_order(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    workers: int,
    progress: Progress,
) -> Generator[Result]:
    """Call a function for each item, and yield the results in the order of the items.

    Close the generator when you stop early (`contextlib.closing`): that ends the child processes
    of this process, so that none is waited for. So does an exception, such as Ctrl-C.

    Parameters
    ----------
    workers
        Maximum number of calls at once, at least 1.
    progress
        Called with the number of calls that are done and their total, by one thread at a time.
    """
    lock, done = threading.Lock(), 0

    def work(item: Item) -> Result:
        nonlocal done
        try:
            return function(item)
        finally:
            with lock:
                done += 1
                progress(done, len(items))

    progress(0, len(items))
    pool = futures.ThreadPoolExecutor(workers)
    calls = [pool.submit(work, item) for item in items]
    try:
        for call in calls:
            yield call.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        while running := [call for call in calls if not call.done()]:
            child_process.end_all()
            futures.wait(running, timeout=_POLL_SECONDS)
