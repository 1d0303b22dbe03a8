"""The options that commands share, and functions that print results and errors."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from mnist_tasks import errors
from mnist_tasks.errors import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from rich.console import RenderableType

    from mnist_tasks.errors import Failure, MnistTasksError

Result = TypeVar("Result")
MOST_SKIPPED = 10

EXIT_CODES = "Exit codes: " + " · ".join(f"{code} {meaning}" for code, meaning in errors.EXIT_CODES)
DataDir = Annotated[
    Path | None,
    typer.Option(
        envvar="MNIST_TASKS_DATA",
        help="Folder of the data files \\[default: the platform's cache folder]",
    ),
]
DatasetName = Annotated[
    str,
    typer.Option(
        "--dataset",
        help="Data set: mnist, fashion-mnist, or the name of a table in pyproject.toml.",
    ),
]
Runs = Annotated[Path, typer.Option(help="Folder of the run records.")]
Offline = Annotated[bool, typer.Option("--offline", help="Do not use the network.")]
MirrorUrl = Annotated[
    str | None,
    typer.Option(
        envvar="MNIST_TASKS_MIRROR",
        help="Address of a mirror to use in place of the known sources: a folder, ending in /, "
        "with the four .gz files, or a mnist.npz.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]


def is_given(context: typer.Context, name: str) -> bool:
    """Whether a parameter is on the command line, and not a default or a project's setting."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def print_result(
    result: Result, draw: Callable[[Result], RenderableType], *, as_json: bool
) -> None:
    """Print a result as JSON, or as `draw` draws it."""
    if as_json:
        print_json(result)
    else:
        print_tables(draw(result))


def print_tables(*parts: RenderableType) -> None:
    """Print rich renderables to standard output."""
    from mnist_tasks import console

    console.results().print(*parts)


def print_line(text: str) -> None:
    """Print a line of plain text to standard output."""
    from rich.text import Text

    from mnist_tasks import console

    console.results().print(Text(printable(text)), soft_wrap=True)


def print_json(result: Any) -> None:
    """Print a result as one JSON document."""
    from mnist_tasks import json_text

    sys.stdout.write(json_text.to_json(result).decode())
    sys.stdout.flush()


def print_error(error: MnistTasksError | Failure) -> None:
    """Print an error to standard error."""
    from mnist_tasks import console

    console.show_error(error)


def warn_skipped(skipped: Collection[str]) -> None:
    """Name the first records that were skipped, on standard error."""
    from mnist_tasks import console

    for each in list(skipped)[:MOST_SKIPPED]:
        console.note(f"skipped {each}")
    if len(skipped) > MOST_SKIPPED:
        console.note(f"and {len(skipped) - MOST_SKIPPED:,} more; `mnist-tasks runs` lists them")
