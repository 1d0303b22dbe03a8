"""Download one file over HTTP, with time-outs, a size limit and a few tries."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from mnist_tasks.errors import (
    EnvironmentProblemError,
    InputRefusedError,
    UsageError,
    printable,
)

if TYPE_CHECKING:
    from pathlib import Path

LARGEST_DOWNLOAD = 64 << 20  # bytes: the whole data set is 55 MB, uncompressed
TOO_MANY_REQUESTS = 429
SERVER_ERROR = 500


class Progress(Protocol):
    """What is told of the work while it goes on."""

    def begin(self, name: str) -> None:
        """Say that a download starts."""

    def advance(self, done: int, total: int | None) -> None:
        """Say how many bytes have come, of how many (``None``: not known)."""

    def note(self, message: str) -> None:
        """Say something in a line."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long a download may take, and how often it is tried.

    Attributes
    ----------
    silence
        Seconds without a byte, or until a connection.
    total
        Seconds for one file.
    pauses
        Seconds before each further try: there is one try more than there are pauses.
    """

    silence: float = 20.0
    total: float = 600.0
    pauses: tuple[float, ...] = (1.0, 3.0)


class _PassingError(Exception):
    """A failure that may be gone at the next try."""


def download(url: str, target: Path, *, patience: Patience, progress: Progress) -> None:
    """Download a file, and try again after a failure that may pass.

    Raises
    ------
    EnvironmentProblemError
        The server can't be reached, refuses, or is too slow.
    InputRefusedError
        The file is larger than any that the data comes in.
    UsageError
        The address is none.
    """
    for pause in (*patience.pauses, None):
        try:
            _download_once(url, target, patience, progress)
        except _PassingError as error:
            if pause is None:
                tries = len(patience.pauses) + 1
                raise EnvironmentProblemError(url, found=f"{error} ({tries} tries)") from error
            progress.note(f"{url}: {error}; trying again in {pause:g} s")
            time.sleep(pause)
        else:
            return


def _download_once(url: str, target: Path, patience: Patience, progress: Progress) -> None:
    import pooch
    import requests

    meter = _Meter(progress, deadline=time.monotonic() + patience.total)
    stream = pooch.HTTPDownloader(
        progressbar=meter, chunk_size=1 << 16, timeout=(patience.silence, patience.silence)
    )
    try:
        stream(url, str(target), None)
    except requests.HTTPError as error:
        status = error.response.status_code if error.response is not None else SERVER_ERROR
        answer = f"the server answers {status}"
        if status >= SERVER_ERROR or status == TOO_MANY_REQUESTS:
            raise _PassingError(answer) from error
        raise EnvironmentProblemError(url, found=answer) from error
    except ValueError as error:  # requests' own errors for an address that is none are such, too
        raise UsageError(
            printable(url), expected="an http:// or https:// address", found=printable(str(error))
        ) from error
    except requests.RequestException as error:
        why = reason(error)
        if "no address" in why:
            raise EnvironmentProblemError(url, found=why) from error
        raise _PassingError(why) from error


def reason(error: Exception) -> str:
    """Say in a few words why a download broke off."""
    import requests

    text = str(error)
    if "Failed to resolve" in text:
        return "the server's name has no address here"
    if isinstance(error, requests.Timeout) or "timed out" in text:
        return "no answer in time"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "cut off in the middle"
    if "refused" in text:
        return "connection refused"
    return printable(text, limit=100)


@dataclass
class _Meter:
    """What pooch takes for a progress bar: reports, and ends a download that is out of bounds."""

    progress: Progress
    deadline: float
    total: int = 0
    done: int = 0

    def update(self, count: int) -> None:
        self.done += count
        if self.done > LARGEST_DOWNLOAD:
            raise InputRefusedError(
                "the download",
                expected=f"at most {LARGEST_DOWNLOAD:,} bytes",
                found="more than that",
            )
        if time.monotonic() > self.deadline:
            raise _PassingError("too slow: not done in the time that one file has")
        self.progress.advance(min(self.done, self.total or self.done), self.total or None)

    def reset(self) -> None:
        self.done = 0

    def close(self) -> None:
        pass
