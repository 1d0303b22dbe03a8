"""Start the command line, or say which library it lacks."""

from __future__ import annotations

import sys

from mnist_tasks import errors, install
from mnist_tasks.cli import envelope, streams


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    with streams.reliable():
        try:
            from mnist_tasks.cli import app

            app.main(arguments)
        except ImportError as error:
            problem = install.import_problem(error)
            if envelope.is_wanted(sys.argv[1:] if arguments is None else arguments):
                failure = errors.Failure.of(problem)
                sys.stdout.write(envelope.of_error(None, problem.exit_code, failure))
            else:
                # The library may be the one that draws panels.
                rows = [f"{key}: {text}" for key, text in errors.rows(problem).items()]
                lines = map(errors.printable, [problem.title, *rows])
                sys.stderr.write("\n".join(lines) + "\n")
            sys.exit(problem.exit_code)
        except KeyboardInterrupt:  # while the command line is loaded
            sys.exit(errors.INTERRUPTED)
