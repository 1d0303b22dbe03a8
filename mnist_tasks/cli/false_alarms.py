"""The command ``calibrate``."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import Annotated

import typer

from mnist_tasks import config
from mnist_tasks.cli.common import (
    AsJson,
    DataDir,
    MirrorUrl,
    Offline,
    load_digits,
    print_json,
    print_tables,
)


def calibrate(
    sweep: Annotated[
        Path, typer.Argument(help="Folder of a sweep, such as sweeps/NAME.", metavar="SWEEP")
    ],
    contract: Annotated[
        Path | None,
        typer.Option(help="TOML file with the contract; found as by `check` without it."),
    ] = None,
    rate: Annotated[
        float, typer.Option(help="The share of false alarms for which bounds are suggested.")
    ] = 0.01,
    data_dir: DataDir = None,
    mirror: MirrorUrl = None,
    offline: Offline = False,
    as_json: AsJson = False,
) -> None:
    """Say how often a sound recipe would fail the contract by chance, from the runs of a sweep."""
    from mnist_tasks.checking import contract_file
    from mnist_tasks.reporting.terminal import false_alarms as false_alarm_tables
    from mnist_tasks.reporting.terminal.progress import CountProgress
    from mnist_tasks.sweeping import false_alarms, sweep_check

    false_alarms.check_rate(rate)
    with CountProgress("checking models") as progress:
        result = sweep_check.calibrate(
            sweep,
            contract_file.load(contract),
            lambda split: load_digits(split, data_dir, mirror=mirror, offline=offline),
            wanted=rate,
            workers=config.available_cores(),
            progress=progress,
        )
    if as_json:
        return print_json(result)
    return print_tables(false_alarm_tables.calibrated(result))
