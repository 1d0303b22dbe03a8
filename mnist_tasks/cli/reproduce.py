"""The command ``reproduce``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mnist_tasks import config, errors
from mnist_tasks.cli import completion
from mnist_tasks.cli.common import AsJson, DataDir, MirrorUrl, Offline, Quiet, Runs
from mnist_tasks.cli.output import Outcome, finish


def reproduce(
    run: Annotated[
        str,
        typer.Argument(
            help="Run id, prefix of an id, or path of a record or of its model file.",
            metavar="RUN",
            autocompletion=completion.runs,
        ),
    ] = "latest",
    network: Annotated[
        str | None,
        typer.Option(
            help="Where the run's own network is now: net.py, net.py:build or "
            "package.module:build \\[default: where it was, for a run in the folder of --runs]. "
            "The code must be what was recorded. This runs it.",
        ),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            autocompletion=completion.one_of(*config.DEVICES),
            help="Device to train on \\[default: that of the record]",
        ),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(help="TensorFlow threads on the CPU \\[default: those of the record]"),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="New file to keep the model in; otherwise deleted."),
    ] = None,
    runs: Runs = config.RUNS_FOLDER,
    data_dir: DataDir = None,
    mirror: MirrorUrl = None,
    offline: Offline = False,
    _quiet: Quiet = False,
    as_json: AsJson = False,
) -> Outcome:
    """Retrain a run from its record, and compare: the same bytes, or the same accuracy.

    Names what differs: threads, processor, versions. Exits with 1 if the run was not reproduced.
    """
    from mnist_tasks import api
    from mnist_tasks.data.loading import DataConfig
    from mnist_tasks.reporting.terminal import reproduced

    found = api.reproduce(
        run,
        network=network,
        device=device,
        threads=threads,
        output=output,
        runs_dir=runs,
        data=DataConfig(folder=data_dir, mirror=mirror, offline=offline),
        progress=True,
    )
    code = 0 if found.reproduced else errors.CONTRACT_FAILED
    return finish(found, reproduced.reproduced, as_json=as_json, exit_code=code)
