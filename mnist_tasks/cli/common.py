"""The options that commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mnist_tasks import errors

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
