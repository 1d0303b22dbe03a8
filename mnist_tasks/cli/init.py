"""The command ``init``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mnist_tasks.cli.common import AsJson, Quiet
from mnist_tasks.cli.output import Outcome, finish, print_line


def init(
    folder: Annotated[
        Path, typer.Argument(help="Folder to write the files to.", metavar="FOLDER")
    ] = Path(),
    _quiet: Quiet = False,
    as_json: AsJson = False,
) -> Outcome:
    """Start a project of your own: a network, a contract, tasks and CI. Overwrites nothing."""
    from mnist_tasks import starter
    from mnist_tasks.cli.documents import NewProject

    files = tuple(map(str, starter.create(folder)))
    if not as_json:
        for each in files:
            print_line(each)
        here = "" if folder == Path() else f" in {folder}"
        print_line(f"Run `invoke`{here} to train the network in net.py, check it and report on it.")
    return finish(NewProject(folder=str(folder), files=files), None, as_json=as_json)
