"""Start the command line, or say which library it lacks."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from mnist_tasks import errors, install
from mnist_tasks.cli import envelope, quick_exit, streams


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    try:
        _run(arguments)
    except SystemExit as end:
        if arguments is None:  # those of the process, which is ours to end
            quick_exit.leave(end.code)
        raise


def _run(arguments: list[str] | None) -> None:
    with streams.reliable():
        try:
            from mnist_tasks.cli import app

            app.main(arguments)
        except ImportError as error:
            problem = install.import_problem(error)
            rows = [f"{key}: {text}" for key, text in errors.rows(problem).items()]
            failure = errors.Failure.of(problem)
            _end(arguments, problem.exit_code, failure, [problem.title, *rows])
        except KeyboardInterrupt:  # while the command line is loaded
            failure = errors.interrupted()
            _end(arguments, errors.INTERRUPTED, failure, [f"Interrupted. {failure.found}"])


def _end(
    arguments: list[str] | None, exit_code: int, failure: errors.Failure, lines: Iterable[str]
) -> None:
    """Print what ended a command, and exit; the library that draws panels may be missing."""
    if envelope.is_wanted(sys.argv[1:] if arguments is None else arguments):
        sys.stdout.write(envelope.of_error(None, exit_code, failure))
    else:
        sys.stderr.write("\n".join(map(errors.printable, lines)) + "\n")
    sys.exit(exit_code)
