"""Download one file over HTTP, with a deadline, a size limit and retries."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from mnist_tasks.data import request_errors, web
from mnist_tasks.errors import (
    EnvironmentProblemError,
    InputRefusedError,
    MnistTasksError,
    UsageError,
    printable,
    redact,
)

if TYPE_CHECKING:
    from pathlib import Path

LARGEST_DOWNLOAD = 64 << 20  # bytes: all of MNIST is 55 MB, uncompressed


class Progress(Protocol):
    """Receives the progress of a fetch."""

    def begin(self, name: str) -> None:
        """Start the download of a file."""

    def advance(self, done: int, total: int | None) -> None:
        """Report how many bytes have arrived, of how many (``None``: unknown)."""

    def note(self, message: str) -> None:
        """Report a one-line message."""


class SilentProgress:
    """A progress of downloads or of a training that shows nothing."""

    def begin(self, *_: object, **__: object) -> None:
        """Show nothing."""

    advance = note = begin


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """How long a download may take, and how often it is retried.

    Attributes
    ----------
    idle_timeout
        Longest wait in seconds for a connection, and between two pieces of the file.
    timeout
        Time limit of one file, retries included, in seconds.
    delays
        Waiting time before each retry, in seconds.
    """

    idle_timeout: float = 20.0
    timeout: float = 600.0
    delays: tuple[float, ...] = (1.0, 3.0)


RETRY_POLICY = RetryPolicy()


class _TransientError(Exception):
    """A failure that a retry may fix."""


def download(
    url: str,
    target: Path,
    *,
    policy: RetryPolicy,
    progress: Progress,
    largest: int = LARGEST_DOWNLOAD,
) -> None:
    """Download a file, and retry after a transient failure.

    Raises
    ------
    EnvironmentProblemError
        The server can't be reached, is not trusted, refuses the request, or is too slow.
    InputRefusedError
        The file has more than `largest` bytes.
    UsageError
        The address is not valid.
    """
    _require_valid(url)
    shown = redact(url)
    deadline = time.monotonic() + policy.timeout
    once = partial(_download_once, url, target, policy, deadline, largest, progress)
    for tries, delay in enumerate((*policy.delays, None), start=1):
        try:
            once()
        except _TransientError as error:
            if delay is None or time.monotonic() + delay > deadline:
                counted = f"{tries} tries" if tries > 1 else "1 try"
                raise EnvironmentProblemError(shown, found=f"{error} ({counted})") from error
            progress.note(f"{shown}: {error}; retrying in {delay:g} s")
            time.sleep(delay)
        except web.TooSlowError as error:
            found = f"too slow: not complete after {policy.timeout:g} s"
            raise EnvironmentProblemError(shown, found=found) from error
        else:
            return


def _require_valid(url: str) -> None:
    import requests

    try:
        requests.Request("GET", url).prepare()
        found = "" if url.startswith(("http://", "https://")) else url
    except ValueError as error:  # those of requests, too
        found = str(error)
    if found:
        raise UsageError(
            printable(redact(url)),
            expected="an http:// or https:// address",
            found=printable(redact(found)),
        )


def _download_once(
    url: str,
    target: Path,
    policy: RetryPolicy,
    deadline: float,
    largest: int,
    progress: Progress,
) -> None:
    arriving = web.receive(url, idle_timeout=policy.idle_timeout, deadline=deadline)
    with target.open("wb") as file:
        total, done = None, 0
        for item in _received(arriving, url):
            if isinstance(item, web.Head):
                _raise_for_status(url, item.status)
                total = item.length
                continue
            done += len(item)
            if done > largest:
                raise InputRefusedError(
                    "the download",
                    expected=f"at most {largest:,} bytes",
                    found="a larger file",
                )
            file.write(item)
            progress.advance(done if total is None else min(done, total), total)


def _received(arriving: Iterator[web.Head | bytes], url: str) -> Iterator[web.Head | bytes]:
    """Yield what arrives, and raise what happens to the request as an error about the server."""
    try:
        yield from arriving
    except (MnistTasksError, web.TooSlowError):
        raise
    except Exception as error:
        found, is_transient = request_errors.failure(error, url)
        if is_transient:
            raise _TransientError(found) from error
        raise EnvironmentProblemError(redact(url), found=found) from error


def _raise_for_status(url: str, status: int) -> None:
    if status == HTTPStatus.OK:
        return
    proxy = request_errors.proxy_of(url)
    found = f"the server responded with status {status}"
    if proxy and status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        found = f"the proxy {proxy} asks for a user name and password (status {status})"
    elif proxy:
        found = f"the server or the proxy {proxy} responded with status {status}"
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS:
        raise _TransientError(found)
    raise EnvironmentProblemError(redact(url), found=found)
