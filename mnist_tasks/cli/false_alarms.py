"""The command ``false-alarms``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mnist_tasks import dataset_info
from mnist_tasks.cli import completion
from mnist_tasks.cli.common import AsJson, DataDir, MirrorUrl, Offline, is_given
from mnist_tasks.cli.output import Outcome, finish


def false_alarms(
    context: typer.Context,
    sweep: Annotated[
        Path, typer.Argument(help="Folder of a sweep, such as sweeps/NAME.", metavar="SWEEP")
    ],
    contract: Annotated[
        Path | None,
        typer.Option(
            envvar="MNIST_TASKS_CONTRACT",
            help="TOML file with the contract \\[default: the one that `check` uses]",
            readable=False,
        ),
    ] = None,
    rate: Annotated[
        float, typer.Option(help="False-alarm rate for which to suggest bounds.")
    ] = 0.01,
    dataset: Annotated[
        str,
        typer.Option(
            envvar="MNIST_TASKS_DATASET",
            autocompletion=completion.datasets,
            help="Data set of the images \\[default: that of the sweep]",
            show_default=False,
        ),
    ] = dataset_info.MNIST.name,
    data_dir: DataDir = None,
    mirror: MirrorUrl = None,
    offline: Offline = False,
    as_json: AsJson = False,
) -> Outcome:
    """Estimate how often a good recipe fails the contract by chance.

    Also says what drops in accuracy the contract detects, and which clauses decide nothing.
    """
    from mnist_tasks.checking import contract_file
    from mnist_tasks.data import datasets
    from mnist_tasks.data.loading import DataConfig
    from mnist_tasks.reporting.terminal import false_alarms as tables
    from mnist_tasks.reporting.terminal.progress import CountProgress, DownloadProgress
    from mnist_tasks.sweeping import sweep_check

    with CountProgress("checking models") as progress:
        report = sweep_check.estimate(
            sweep,
            contract_file.load(contract),
            DataConfig(folder=data_dir, mirror=mirror, offline=offline),
            dataset=datasets.find(dataset) if is_given(context, "dataset") else None,
            target_rate=rate,
            progress=progress.show,
            download=DownloadProgress(),
        )
    return finish(report, tables.report, as_json=as_json)
