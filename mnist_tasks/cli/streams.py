"""The standard streams of a command: open, and without a write that changes the exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from mnist_tasks import null_device
from mnist_tasks.errors import EnvironmentProblemError
from mnist_tasks.terminal_variables import odd_sizes


@contextmanager
def reliable() -> Iterator[None]:
    """Let the block print whatever happens to the streams, which are restored afterwards.

    A closed stream is opened on the null device. A character that an encoding lacks is replaced. If
    the reader of a pipe is gone, or messages can't be written, the rest is discarded; if results
    can't be written, for example on a full disk, this process exits with an error. A size of the
    terminal that makes no sense is ignored.
    """
    _open_descriptors()
    odd = odd_sizes(os.environ)
    for name in odd:  # libraries read it, too
        del os.environ[name]
    before = sys.stdin, sys.stdout, sys.stderr
    errors = [getattr(each, "errors", None) for each in before]
    stdin, stdout, stderr = (
        each or os.fdopen(number, "r" if number == 0 else "w", encoding="utf-8", closefd=False)
        for number, each in enumerate(before)
    )
    for each in (stdout, stderr):
        _replace_characters(each, "replace")
    sys.stdin = stdin
    sys.stdout = _Stream(stdout, has_results=True)
    sys.stderr = _Stream(stderr, has_results=False)
    try:
        yield
    finally:
        try:
            sys.stdout.flush()
        finally:
            sys.stdin, sys.stdout, sys.stderr = before
            os.environ.update(odd)
            for each, handler in zip(before[1:], errors[1:], strict=True):
                _replace_characters(each, handler)


def _open_descriptors() -> None:
    """Open each closed descriptor from 0 to 2, before a file gets its number."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
            os.set_inheritable(opened, True)


def _replace_characters(stream: TextIO | None, errors: str | None) -> None:
    reconfigure = getattr(stream, "reconfigure", None)  # a stream of a notebook has none
    if reconfigure is not None:
        with suppress(OSError):  # what it still holds can't be written
            reconfigure(errors=errors)


class _Stream:
    """A stream, but for the writes that fail."""

    def __init__(self, stream: TextIO, *, has_results: bool) -> None:
        self._stream = stream
        self._has_results = has_results

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        try:
            self._stream.write(text)
        except OSError as error:
            self._discard(error)
        return len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError as error:
            self._discard(error)

    def _discard(self, error: OSError) -> None:
        """Discard what is still to come; exit if results are lost that somebody waits for."""
        null_device.discard(self._stream)
        if not self._has_results or isinstance(error, BrokenPipeError):
            return
        from mnist_tasks import console

        problem = EnvironmentProblemError(
            "standard output",
            expected="a stream that can be written",
            found=error.strerror or str(error),
            remedy="Free some space, or redirect the output elsewhere.",
        )
        console.show_error(problem)
        raise SystemExit(problem.exit_code) from error
