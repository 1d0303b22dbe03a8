"""The defaults of the commands in a project: what its settings name is used without an option.

Options and environment variables win. What is relative in the settings is relative to their file;
other defaults stay relative to the current folder.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from mnist_tasks import config

if TYPE_CHECKING:
    from mnist_tasks.project import Project


def default_map(project: Project, commands: Iterable[str]) -> dict[str, Any]:
    """Return the values of the commands' parameters that a project sets, as click takes them.

    A key whose parameter a command lacks is not used.
    """
    settings = project.settings
    # The records belong to the model: without their own setting, they are in the project, too.
    folder = settings.runs or (settings.output and str(config.RUNS_FOLDER))
    paths = {
        name: str(project.folder / path)
        for name, path in {"runs": folder, "output": settings.output}.items()
        if path
    }
    names = {"recipe": settings.recipe, "epochs": settings.epochs, "dataset": settings.dataset}
    values: dict[str, Any] = {name: value for name, value in names.items() if value} | paths
    if network := settings.network:
        from mnist_tasks.training import network_file

        where, _ = network_file.split(network)
        is_file = network_file.is_file(where)
        values["network"] = str(project.folder / network) if is_file else network
    if settings.output:  # what `train` writes is what other commands read
        values |= {"models": [paths["output"]], "model": paths["output"]}
    sweep = {name: value for name, value in values.items() if name != "output"}  # a folder there
    for name in ("recipe", "network"):  # options that can be repeated
        if name in sweep:
            sweep[name] = [sweep[name]]
    export = {name: value for name, value in values.items() if name != "output"}  # not the model
    if settings.output:
        export["model"] = paths["output"]
    # `runs list` has filters of the same names. What `reproduce` trains is the record's.
    runs = {"runs": paths["runs"]} if folder else {}
    return {
        **dict.fromkeys(commands, values),
        "sweep": sweep,
        "export": export,
        "reproduce": runs,
        "runs": dict.fromkeys(("list", "show", "prune"), runs),
    }
