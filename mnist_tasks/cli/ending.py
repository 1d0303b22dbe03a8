"""Run a command line to its end, whichever that is: print what it ends with, return its exit code.

With ``--json``, standard output gets exactly one document.
"""

from __future__ import annotations

import sys
import traceback
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mnist_tasks import errors, install, resource_limits
from mnist_tasks.cli import envelope
from mnist_tasks.cli.command import PROGRAM, Invocation
from mnist_tasks.cli.output import Outcome
from mnist_tasks.cli.termination import Terminated
from mnist_tasks.errors import Failure, MnistTasksError

if TYPE_CHECKING:
    from collections.abc import Sequence

ISSUES = "https://github.com/mnist-tasks/mnist-tasks/issues"


class CommandInterruptedError(Exception):
    """Ctrl-C; the argument, if there is one, says what is left on disk."""


def run(app: typer.Typer, words: Sequence[str] | None) -> int:
    """Run a command line and return its exit code.

    Parameters
    ----------
    words
        Those of the process by default.

    Raises
    ------
    ImportError
        A library is missing or broken, which may be the one that draws panels.
    """
    as_json = envelope.is_wanted(sys.argv[1:] if words is None else words)
    with envelope.diverted_stdout() if as_json else nullcontext():
        exit_code, document = _run(app, words, as_json=as_json)
    if document:
        sys.stdout.write(envelope.in_encoding(document, sys.stdout.encoding))
        sys.stdout.flush()
    return exit_code


def _run(app: typer.Typer, words: Sequence[str] | None, *, as_json: bool) -> tuple[int, str]:
    """Run a command line; return its exit code, and its document if it has one."""
    call = Invocation()
    try:
        outcome = _call(app, words, call)
    except (Exception, Terminated) as error:
        if isinstance(error, ImportError) and not as_json:
            raise
        exit_code, failure = _failure(error, call.command)
        if exit_code == errors.BUG:
            sys.stderr.write(errors.without_controls(errors.redact(traceback.format_exc())))
        if as_json:
            return exit_code, envelope.of_error(call.command, exit_code, failure)
        _show(error, failure)
        return exit_code, ""
    if not isinstance(outcome, Outcome):
        return outcome or 0, ""  # of `--help` and `--version`
    if not outcome.as_json:
        return outcome.exit_code, ""
    return outcome.exit_code, envelope.of_result(call.command, outcome.exit_code, outcome.result)


def _call(app: typer.Typer, words: Sequence[str] | None, call: Invocation) -> Outcome | int | None:
    found: Outcome | int | None = app(words, prog_name=PROGRAM, standalone_mode=False, obj=call)
    if found == errors.INTERRUPTED:  # what typer makes of Ctrl-C while it reads the words
        raise CommandInterruptedError
    return found


def _failure(error: BaseException, command: str | None) -> tuple[int, Failure]:
    """Return the exit code and the parts of whatever ended a command.

    An unexpected exception is a bug. Its exit code must not be mistaken for a failed contract's.
    """
    program = f"{PROGRAM} {command}" if command else PROGRAM
    if isinstance(error, typer.TyperException):
        found = error.format_message()
        error = errors.UsageError(program, found=found, remedy=f"See `{program} --help`.")
    elif isinstance(error, ImportError):
        error = install.import_problem(error)
    error = resource_limits.exhausted(error) or _without_folder(error) or error
    if isinstance(error, MnistTasksError):
        return error.exit_code, Failure.of(error)
    if isinstance(error, CommandInterruptedError | typer.Abort):
        return errors.INTERRUPTED, errors.interrupted(program, str(error))
    if isinstance(error, Terminated):
        found = "A signal asked the process to end. Every file on disk is complete."
        failure = Failure(title="Terminated", subject=program, found=found, reason="terminated")
        return 128 + error.args[0], failure
    return errors.BUG, Failure(
        title="Bug",
        subject=program,
        found=errors.printable(f"{type(error).__name__}: {error}", limit=errors.LONGEST_LINE),
        remedy=f"Please report it, with the traceback on standard error: {ISSUES}",
        reason="internal-error",
    )


def _without_folder(error: BaseException) -> MnistTasksError | None:
    """Return the error about a current folder that was deleted, if that is what an exception means.

    Whatever makes a path absolute raises it.
    """
    try:
        Path.cwd()
    except FileNotFoundError:
        if isinstance(error, FileNotFoundError):
            return errors.EnvironmentProblemError(
                "the current folder",
                expected="a folder",
                found="it was deleted",
                remedy="Change to a folder that exists, then rerun.",
            )
    return None


def _show(error: BaseException, failure: Failure) -> None:
    """Print what ended a command to standard error."""
    from typer import rich_utils

    from mnist_tasks import console

    if isinstance(error, typer.TyperException):
        text = errors.redact(error.format_message())
        error.format_message = lambda: text  # type: ignore[method-assign]
        rich_utils.rich_format_error(error)  # type: ignore[arg-type]  # with the usage
    elif failure.reason == "interrupted":
        console.note(f"Interrupted. {failure.found}")
    elif failure.reason != "terminated":
        console.show_error(failure)
