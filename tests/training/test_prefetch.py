"""Items are prepared in another thread, in order, and its errors and end are the caller's."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from mnist_tasks.training import prefetch

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_the_items_come_in_order() -> None:
    assert list(prefetch.prefetch(iter(range(100)))) == list(range(100))
    assert list(prefetch.prefetch(iter(()))) == []


def test_they_are_made_ahead_and_in_another_thread() -> None:
    made, threads = threading.Semaphore(0), set()

    def items() -> Iterator[int]:
        for item in range(10):
            threads.add(threading.get_ident())
            made.release()
            yield item

    fetched = prefetch.prefetch(items())
    assert next(fetched) == 0
    for _ in range(1 + prefetch.AHEAD):  # while the caller works on the first
        assert made.acquire(timeout=60)
    assert not made.acquire(blocking=False)
    assert len(threads) == 1
    assert threading.get_ident() not in threads
    fetched.close()


def test_an_error_reaches_the_caller_in_its_place() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("the second")

    fetched = prefetch.prefetch(items())
    assert next(fetched) == 1
    with pytest.raises(ValueError, match="the second"):
        next(fetched)


@pytest.mark.parametrize("stops", [False, True])
def test_the_thread_ends_with_the_loop(stops: bool) -> None:
    before = threading.active_count()
    fetched = prefetch.prefetch(iter(range(1000)))
    for item in fetched:
        if stops and item == 3:
            break
    fetched.close()
    assert threading.active_count() == before
