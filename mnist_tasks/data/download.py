"""Download one file over HTTP, with timeouts, a size limit and retries."""

from __future__ import annotations

import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from mnist_tasks.errors import (
    EnvironmentProblemError,
    InputRefusedError,
    UsageError,
    printable,
    redact,
)

if TYPE_CHECKING:
    from pathlib import Path

    from requests import Response

LARGEST_DOWNLOAD = 64 << 20  # bytes: all of MNIST is 55 MB, uncompressed
CHUNK = 1 << 16  # bytes


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
        Time limit of one attempt, in seconds.
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
        The server can't be reached, refuses the request, or is too slow.
    InputRefusedError
        The file has more than `largest` bytes.
    UsageError
        The address is not valid.
    """
    shown = redact(url)
    for delay in (*policy.delays, None):
        try:
            _download_once(url, target, policy, progress, largest)
        except _TransientError as error:
            if delay is None:
                tries = len(policy.delays) + 1
                raise EnvironmentProblemError(shown, found=f"{error} ({tries} tries)") from error
            progress.note(f"{shown}: {error}; retrying in {delay:g} s")
            time.sleep(delay)
        else:
            return


def _download_once(
    url: str, target: Path, policy: RetryPolicy, progress: Progress, largest: int
) -> None:
    import requests

    deadline = time.monotonic() + policy.timeout
    try:
        with requests.get(url, stream=True, timeout=policy.idle_timeout) as response:
            _raise_for_status(url, response.status_code)
            _write(response, target, deadline, progress, largest)
    except ValueError as error:  # requests' errors for an invalid address are ValueErrors, too
        raise UsageError(
            printable(redact(url)),
            expected="an http:// or https:// address",
            found=printable(redact(str(error))),
        ) from error
    except requests.RequestException as error:
        why = reason(error)
        if "can't be resolved" in why:
            raise EnvironmentProblemError(redact(url), found=why) from error
        raise _TransientError(why) from error


def _raise_for_status(url: str, status: int) -> None:
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS:
        raise _TransientError(f"the server responded with status {status}")
    if status >= HTTPStatus.BAD_REQUEST:
        found = f"the server responded with status {status}"
        raise EnvironmentProblemError(redact(url), found=found)


def _write(
    response: Response, target: Path, deadline: float, progress: Progress, largest: int
) -> None:
    """Write the body of a response to a file, within the limits of size and time."""
    length = response.headers.get("Content-Length", "")
    total = int(length) if length.isdecimal() else None
    done = 0
    with target.open("wb") as file:
        for chunk in response.iter_content(CHUNK):
            done += len(chunk)
            if done > largest:
                raise InputRefusedError(
                    "the download",
                    expected=f"at most {largest:,} bytes",
                    found="a larger file",
                )
            if time.monotonic() > deadline:
                raise _TransientError("too slow: the download exceeded its time limit")
            file.write(chunk)
            progress.advance(done if total is None else min(done, total), total)


def reason(error: Exception) -> str:
    """Return a short reason why a download failed."""
    import requests

    text = redact(str(error))
    if "Failed to resolve" in text:
        return "the host name can't be resolved"
    if isinstance(error, requests.Timeout) or "timed out" in text:
        return "timed out"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection was closed too early"
    if "refused" in text:
        return "connection refused"
    return printable(text, limit=100)
