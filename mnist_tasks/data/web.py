"""HTTP requests that a deadline ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from queue import Empty, Full, Queue
from typing import TYPE_CHECKING, TypeAlias

from mnist_tasks.data import certificates

if TYPE_CHECKING:
    from requests import Response

PIECE = 1 << 16  # bytes
_MOST_PIECES = 64  # that wait to be written


class TooSlowError(Exception):
    """The deadline has passed."""


@dataclass(frozen=True, kw_only=True)
class Head:
    """The start of a response: its status, and the length of its content if that is known."""

    status: int
    length: int | None


_Item: TypeAlias = Head | bytes | Exception | None  # the last two end a response


def receive(url: str, *, idle_timeout: float, deadline: float) -> Iterator[Head | bytes]:
    """Request an address; yield the head of the response, and its content in pieces.

    The request runs in a thread: a server that sends a byte now and then, also in its headers,
    keeps `requests` waiting however long that takes.

    Raises
    ------
    TooSlowError
        The response is not complete by `deadline`, a time of `time.monotonic`.
    Exception
        Whatever `requests` raises; see `request_errors.failure`.
    """
    arrived: Queue[_Item] = Queue(_MOST_PIECES)
    responses: list[Response] = []
    ended = threading.Event()

    put = partial(_put, arrived, ended)

    def run() -> None:
        try:
            with get(url, timeout=idle_timeout) as response:
                responses.append(response)
                length = response.headers.get("Content-Length", "")
                total = int(length) if length.isdecimal() else None
                put(Head(status=response.status_code, length=total))
                for piece in response.iter_content(PIECE):
                    if not put(piece):
                        return
            put(None)
        except Exception as error:
            put(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        while True:
            try:
                item = arrived.get(timeout=max(0.0, deadline - time.monotonic()))
            except Empty:
                raise TooSlowError from None
            if item is None:
                return
            if isinstance(item, Exception):
                raise item
            yield item
    finally:
        ended.set()
        for response in responses:
            with suppress(Exception):  # urllib3 has it since 2.3; else the thread waits on
                response.raw.shutdown()


def _put(arrived: Queue[_Item], ended: threading.Event, item: _Item) -> bool:
    """Put an item into a queue that may be full for long; return False once nobody reads it."""
    while not ended.is_set():
        with suppress(Full):  # the disk is slower than the server
            arrived.put(item, timeout=1.0)
            return True
    return False


@contextmanager
def get(
    url: str, *, timeout: float, headers: Mapping[str, str] | None = None
) -> Iterator[Response]:
    """Request an address; `timeout` is the wait in seconds to connect, and for each byte.

    Raises
    ------
    EnvironmentProblemError
        The bundle of trusted certificates can't be read.
    """
    import requests

    identity = {"Accept-Encoding": "identity"}  # the files are compressed, or small
    with requests.Session() as session:
        session.mount("https://", certificates.adapter())
        with session.get(
            url, stream=True, timeout=timeout, headers={**identity, **(headers or {})}
        ) as response:
            yield response
