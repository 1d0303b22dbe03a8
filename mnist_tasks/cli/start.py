"""Start the command line, or say which library it lacks."""

from __future__ import annotations

import sys

from mnist_tasks import errors, install


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    try:
        from mnist_tasks.cli import app

        app.main(arguments)
    except ImportError as error:
        problem = install.import_problem(error)
        # The library may be the one that draws panels.
        lines = [problem.title, *(f"{key}: {text}" for key, text in errors.rows(problem).items())]
        sys.stderr.write("\n".join(map(errors.printable, lines)) + "\n")
        sys.exit(problem.exit_code)
