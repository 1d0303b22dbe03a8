"""Reproduce a recorded run."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mnist_tasks import check_store, config, disk, run_store
from mnist_tasks.api.data import data_config, load_data
from mnist_tasks.errors import InputRefusedError, UsageError

if TYPE_CHECKING:
    from mnist_tasks.api.data import AnyPath, Data
    from mnist_tasks.records import RunRecord
    from mnist_tasks.reproducing.results import Reproduction
    from mnist_tasks.training.loop import EpochProgress


def reproduce(
    run: AnyPath = run_store.LATEST,
    *,
    network: AnyPath | None = None,
    device: str | None = None,
    threads: int | None = None,
    output: AnyPath | None = None,
    runs_dir: AnyPath = config.RUNS_FOLDER,
    data: Data = None,
    progress: bool = False,
) -> Reproduction:
    """Retrain a run from its record, and compare: the same bytes, or the same accuracy.

    What is trained is deleted, unless an `output` is named; no run is recorded. TensorFlow sets its
    threads and devices once per process, so that another run may need a new process.

    Parameters
    ----------
    run
        ``latest``, an id or a unique prefix of one, or the path of a record, its folder or its
        model file.
    network
        Where the user's own network is now: ``net.py``, ``net.py:build`` or
        ``package.module:build``. By default where it was, for a run that is in `runs_dir`; the code
        of a record from elsewhere is run only if it is named. It must be what was recorded.
    device, threads
        As in `train`; by default those of the record.
    output
        A new file for the model, with the suffix of the recorded one.
    runs_dir
        Folder of the run records.
    data, progress
        As in `load_data`; the data set is that of the record.

    Raises
    ------
    UsageError
        The device, the threads, the network or the output can't be used.
    InputRefusedError
        There is no such run, its record doesn't say how to train, or the code or the data is no
        longer what was recorded.
    EnvironmentProblemError
        TensorFlow, the device or the data is missing, or a file can't be written.
    """
    from mnist_tasks.data import datasets
    from mnist_tasks.reproducing import recorded, reproduction
    from mnist_tasks.training import loop, tensorflow_setup

    runs = Path(runs_dir)
    record, folder = check_store.find_named(run_store.list_runs(runs), runs, os.fspath(run))
    where = str(folder if folder == runs / record.id else run)
    named = None if network is None else os.fspath(network)
    if named is None and folder == runs / record.id:
        named = recorded.reference(record)
    repeatable = recorded.read(record, where, network=named, device=device, threads=threads)
    kept = None if output is None else _new_file(Path(output), record)
    config.refuse_many_workers(os.environ)
    try:
        dataset = datasets.find(record.dataset.name)
    except UsageError as error:
        raise InputRefusedError(
            f"the data set of {where}",
            expected=error.expected,
            found=error.found,
            remedy=error.remedy,
        ) from error
    source = replace(data_config(data), dataset=dataset)
    shown: AbstractContextManager[EpochProgress] = nullcontext(loop.SILENT)
    if progress:
        from mnist_tasks.reporting.terminal.progress import TrainingProgress  # slow to import

        shown = TrainingProgress()
    load = partial(load_data, data=source, progress=progress)
    images = load("train")  # a download has a display of its own
    with tensorflow_setup.preserved_state(), shown as bar:
        return reproduction.run(
            repeatable,
            training=images,
            test=partial(load, "test"),
            progress=bar,
            output=kept,
        )


def _new_file(output: Path, record: RunRecord) -> Path:
    """Return where the model is kept, if it is a new file of the recorded kind."""
    suffix = Path(record.model.path).suffix
    if output.suffix != suffix:
        raise UsageError(
            "--output", expected=f"a file name that ends in {suffix}", found=str(output)
        )
    if os.path.lexists(output):
        raise UsageError(
            "--output",
            expected="a new file",
            found=f"{output}, which exists",
            remedy="Name another file.",
            reason="would-overwrite",
        )
    disk.require_output(output, remedy="Name another file with --output.")
    return output
