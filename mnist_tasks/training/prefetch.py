"""Prepare what a training needs next in another thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
AHEAD = 2  # items


def prefetch(items: Iterator[Item]) -> Generator[Item]:
    """Yield the items of an iterator, which runs in another thread and up to `AHEAD` items ahead.

    An error in the iterator is raised here, in place of the item. When the caller stops early, the
    thread ends after the item at which it is.
    """
    with ThreadPoolExecutor(1) as pool:
        waiting = deque(pool.submit(next, items, None) for _ in range(AHEAD))
        try:
            while (item := waiting.popleft().result()) is not None:
                waiting.append(pool.submit(next, items, None))
                yield item
        finally:
            pool.shutdown(cancel_futures=True)
