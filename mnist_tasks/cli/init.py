"""The command ``init``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mnist_tasks.cli.common import AsJson, print_json, print_line


def init(
    folder: Annotated[
        Path, typer.Argument(help="Folder to write the files to.", metavar="FOLDER")
    ] = Path(),
    as_json: AsJson = False,
) -> None:
    """Start a project of your own: a network, a contract, tasks and CI. Overwrites nothing."""
    from mnist_tasks import starter

    written = [str(each) for each in starter.create(folder)]
    if as_json:
        print_json({"schema": 1, "folder": str(folder), "files": written})
        return
    for each in written:
        print_line(each)
    here = "" if folder == Path() else f" in {folder}"
    print_line(f"Run `invoke`{here} to train the network in net.py, check it and report on it.")
