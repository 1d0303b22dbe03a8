"""The options that commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mnist_tasks import errors
from mnist_tasks.cli import completion

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
        envvar="MNIST_TASKS_DATASET",
        autocompletion=completion.datasets,
        help="Data set: mnist, fashion-mnist, or the name of a table in pyproject.toml.",
    ),
]
Runs = Annotated[Path, typer.Option(envvar="MNIST_TASKS_RUNS", help="Folder of the run records.")]
Offline = Annotated[
    bool, typer.Option("--offline", envvar="MNIST_TASKS_OFFLINE", help="Do not use the network.")
]
MirrorUrl = Annotated[
    str | None,
    typer.Option(
        envvar="MNIST_TASKS_MIRROR",
        help="Address of a mirror to use in place of the known sources: a folder, ending in /, "
        "with the four .gz files, or a mnist.npz.",
    ),
]
#: The parameter is named `_quiet`: the class of the commands reads it, and no command does.
Quiet = Annotated[
    bool,
    typer.Option(
        "--quiet",
        "-q",
        envvar="MNIST_TASKS_QUIET",
        help="Print only errors and models that did not pass.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]


def is_given(context: typer.Context, name: str) -> bool:
    """Whether an option or its variable sets a parameter, and not a default or the project."""
    source = context.get_parameter_source(name)
    return source is not None and source.name in {"COMMANDLINE", "ENVIRONMENT"}
