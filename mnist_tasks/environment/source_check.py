"""Request a few bytes from each source of the data, to see which can be reached."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from functools import partial
from http import HTTPStatus

from mnist_tasks.data import datasets, packages, request_errors, web
from mnist_tasks.data.packages import Debian, Npm
from mnist_tasks.data.project_files import ProjectFiles
from mnist_tasks.data.sources import Mirror, Source
from mnist_tasks.environment import background
from mnist_tasks.environment.diagnosis import Finding
from mnist_tasks.errors import EnvironmentProblemError, printable

TIMEOUT = 4.0  # seconds to connect, and without a byte
REQUESTED = 64  # bytes


def start(
    sources: Sequence[Source], *, timeout: float = TIMEOUT
) -> Callable[[], dict[str, str | None]]:
    """Start a request to every source, and return a function that waits for the results.

    The results are, by name, why a source can't be used, or ``None`` if it can.
    """
    futures = {each.name: background.start(partial(_check, each, timeout)) for each in sources}
    deadline = time.monotonic() + 3 * timeout
    return lambda: {name: _result(future, deadline) for name, future in futures.items()}


def finding(errors: dict[str, str | None] | None, *, is_complete: bool) -> Finding:
    """Report which sources can be reached; having none is an error if files are missing.

    `errors` is what `start` found, or ``None`` if the sources were not checked.
    """
    facts = {"checked": errors is not None, "errors": errors}
    make = partial(Finding, topic="data", name="sources", facts=facts)
    if errors is None:
        return make(found="not checked (--offline)")
    good = sum(error is None for error in errors.values())
    found = f"{good} of {len(errors)} reachable"
    details = tuple(f"{name}: {error or 'reachable'}" for name, error in errors.items())
    if good:
        return make(found=found, details=details)
    remedy = "Fix the network, or name a mirror with --mirror"
    if is_complete:
        remedy += "; the cache is complete, so nothing has to be fetched."
        return make(status="warning", found=found, remedy=remedy, details=details)
    remedy += ", or copy the files here and run `mnist-tasks fetch --from FOLDER`."
    found += ", and the cache lacks files"
    return make(status="error", found=found, remedy=remedy, details=details)


def _result(future: Future[str | None], deadline: float) -> str | None:
    try:
        return future.result(max(0.0, deadline - time.monotonic()))
    except FutureTimeoutError:  # neither a DNS lookup nor a slow response has a timeout
        return "timed out"


def _check(source: Source, timeout: float) -> str | None:
    """Return why a source can't be used, or ``None``."""
    if isinstance(source, Mirror):
        smallest = min(datasets.default().files, key=lambda file: file.bytes)
        is_folder = source.url.endswith("/")
        return _check_url(f"{source.url}{smallest.name}.gz" if is_folder else source.url, timeout)
    if isinstance(source, ProjectFiles):
        if (url := source.address()) is not None:
            return _check_url(url, timeout)
        return None if source.exists() else "no such files"
    if isinstance(source, Npm | Debian):
        return _check_package(source, 2 * timeout)
    return None


def _check_url(url: str, timeout: float) -> str | None:
    """Request the first bytes of a file."""
    headers = {"Range": f"bytes=0-{REQUESTED - 1}"}
    try:
        with web.get(url, headers=headers, timeout=timeout) as response:
            if response.status_code not in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}:
                return f"the server responded with status {response.status_code}"
            content = next(response.iter_content(REQUESTED), b"")
    except EnvironmentProblemError as error:
        return str(error)
    except Exception as error:  # of urllib3 and the standard library, too
        return request_errors.failure(error, url)[0]
    if content.lstrip().startswith(b"<"):
        return f"a web page, not data: {printable(content.decode(errors='replace'))}"
    return None if content else "an empty response"


def _check_package(source: Npm | Debian, timeout: float) -> str | None:
    """Look the package up, in npm's registry or in the lists that apt downloaded."""
    command = ["apt-get", "download", "--print-uris", source.package]
    if isinstance(source, Npm):
        options = ("--loglevel=error", "--fetch-retries=0")
        command = ["npm", "view", source.package, "version", *options]
    try:
        done = packages.run(*command, timeout=timeout)
    except EnvironmentProblemError as error:
        return error.found
    if done.returncode or not done.stdout.strip():
        found = packages.failure(done) if done.stderr.strip() else None
        return found or f"the registry has no {source.package}"
    return None
