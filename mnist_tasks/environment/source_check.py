"""The sources of the data, each asked for a few bytes: whether it answers, and if not, why."""

from __future__ import annotations

import shutil
import subprocess
import time
from concurrent.futures import TimeoutError as Late
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from mnist_tasks.data import datasets
from mnist_tasks.data.sources import Mirror, Npm
from mnist_tasks.environment import background
from mnist_tasks.errors import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future

    from mnist_tasks.data.sources import Source

TIMEOUT = 4.0  # seconds until a connection, and without a byte
LOOKED_AT = 64  # bytes


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Whether a source answers with what may be data, and if not, why not."""

    name: str
    answers: bool
    why: str | None = None


def ask(sources: Sequence[Source], *, timeout: float = TIMEOUT) -> Callable[[], tuple[Answer, ...]]:
    """Ask all sources at once, and return what waits for their answers."""
    asked = {source.name: background.begin(partial(_ask, source, timeout)) for source in sources}
    return partial(_gather, asked, time.monotonic() + 3 * timeout)


def _gather(asked: dict[str, Future[str | None]], deadline: float) -> tuple[Answer, ...]:
    answers = []
    for name, future in asked.items():
        try:
            why = future.result(max(0.0, deadline - time.monotonic()))
        except Late:  # the look-up of a name has no time-out of its own, nor has a trickle
            why = "no answer in time"
        answers.append(Answer(name=name, answers=why is None, why=why))
    return tuple(answers)


def _ask(source: Source, timeout: float) -> str | None:
    """Return why a source does not answer, or ``None``."""
    if isinstance(source, Mirror):
        return _ask_mirror(source, timeout)
    if isinstance(source, Npm):
        return _ask_npm(source, 2 * timeout)
    return None


def _ask_mirror(mirror: Mirror, timeout: float) -> str | None:
    """Ask a server for the first bytes of its smallest file."""
    import requests

    from mnist_tasks.data.download import reason

    smallest = min(datasets.FILES, key=lambda file: file.bytes)
    url = f"{mirror.url}{smallest.name}.gz" if mirror.url.endswith("/") else mirror.url
    wanted = {"Range": f"bytes=0-{LOOKED_AT - 1}", "Accept-Encoding": "identity"}
    try:
        with requests.get(url, headers=wanted, stream=True, timeout=timeout) as response:
            if not response.ok:
                return f"the server answers {response.status_code}"
            begin = next(response.iter_content(LOOKED_AT), b"")
    except (requests.RequestException, OSError, ValueError) as error:
        return reason(error)
    if begin.lstrip().startswith(b"<"):
        return f"a web page, not data: {printable(begin.decode(errors='replace'))}"
    return None if begin else "an empty answer"


def _ask_npm(npm: Npm, timeout: float) -> str | None:
    """Ask the registry that the npm client is set up for."""
    program = shutil.which("npm")
    if program is None:
        return "no npm client is installed"
    command = [program, "view", npm.package, "version", "--loglevel=error", "--fetch-retries=0"]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"npm did not end within {timeout:g} s"
    except OSError as error:
        return f"npm can't be started: {error.strerror}"
    if done.returncode or not done.stdout.strip():
        return printable(done.stderr, limit=100) or f"the registry has no {npm.package}"
    return None
