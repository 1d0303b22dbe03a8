"""The public functions: what the command line calls, for Python programs and notebooks.

They print nothing unless ``progress=True``, and raise `MnistTasksError` and never `SystemExit`.
"""

from __future__ import annotations

import os
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mnist_tasks import config, disk, run_store
from mnist_tasks.data.loading import DataConfig

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

    from mnist_tasks.checking.contract import Contract
    from mnist_tasks.data.datasets import Split
    from mnist_tasks.data.store import LabeledImages
    from mnist_tasks.records import Check, RunRecord
    from mnist_tasks.training.loop import EpochProgress
    from mnist_tasks.vetting.inspection import VettedFile

    AnyPath = str | os.PathLike[str]


def load_data(
    split: Split,
    *,
    data_dir: AnyPath | None = None,
    mirror: str | None = None,
    offline: bool = False,
    progress: bool = False,
) -> LabeledImages:
    """Load the images and labels of a split, and fetch them first if they are missing.

    >>> images, labels = load_data("test")  # doctest: +SKIP

    Parameters
    ----------
    split
        ``train`` (60,000 images) or ``test`` (10,000).
    data_dir
        Folder of the data files: by default ``$MNIST_TASKS_DATA``, or the platform's cache folder.
    mirror
        Address of a mirror to use in place of the known sources.
    offline
        Whether to use no network.
    progress
        Whether to show the progress of a download on standard error.

    Returns
    -------
    data
        ``data.images``: (n, 28, 28) uint8, 0 to 255; ``data.labels``: (n,) uint8, 0 to 9. Both are
        read-only.

    Raises
    ------
    MnistTasksError
        The data is neither there nor to be had.
    """
    from mnist_tasks.data import loading

    data = data_config(data_dir, mirror=mirror, offline=offline)
    return loading.load(split, data, progress=_download_progress(shown=progress))


def train(
    *,
    recipe: str = "default",
    epochs: int | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    settings: Mapping[str, float] | None = None,
    seed: int = 0,
    device: str = "auto",
    threads: int | None = None,
    precision: str = "float32",
    limit: int | None = None,
    output: AnyPath = config.LATEST_MODEL,
    tensorboard: AnyPath | None = None,
    runs_dir: AnyPath = config.RUNS_FOLDER,
    data_dir: AnyPath | None = None,
    mirror: str | None = None,
    offline: bool = False,
    progress: bool = False,
) -> RunRecord:
    """Train a recipe, and save its model and the record of the run.

    TensorFlow sets its threads, devices and deterministic kernels once per process: a later call
    in the same process needs the same `device` and `threads`.

    Parameters
    ----------
    recipe
        ``default`` or ``plain``.
    epochs, batch_size, learning_rate
        In place of the recipe's.
    settings
        Other settings of the recipe to change, such as ``{"max_shift": 0}``.
    seed
        Random seed for weight initialization, shuffling and dropout.
    device
        ``auto``, ``cpu``, ``gpu``, ``gpu:N`` or ``all``.
    threads
        TensorFlow threads on the CPU; all cores by default.
    precision
        ``float32`` or ``mixed_bfloat16``.
    limit
        Train on the first images only.
    output
        Model file to write: ``.h5`` or ``.keras``.
    tensorboard
        Folder for TensorBoard's logs.
    runs_dir
        Folder of the run records.
    data_dir, mirror, offline
        As in `load_data`.
    progress
        Whether to show the progress on standard error.

    Raises
    ------
    MnistTasksError
        A setting is invalid, or the data, TensorFlow, the device or room on the disk is missing.
    """
    from functools import partial

    from mnist_tasks.data import loading
    from mnist_tasks.training import global_state, run
    from mnist_tasks.training.tensorboard import logged

    training = config.TrainingConfig(
        recipe=recipe,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        settings=tuple(sorted((settings or {}).items())),
        seed=seed,
        device=device,
        threads=config.available_cores() if threads is None else threads,
        precision=precision,
        limit=limit,
        output=Path(output),
    )
    config.refuse_many_workers(os.environ)
    disk.require_writable(Path(runs_dir), remedy=run_store.OTHER_FOLDER)
    data = data_config(data_dir, mirror=mirror, offline=offline)
    load = partial(loading.load, "train", data, progress=_download_progress(shown=progress))
    logs = Path(tensorboard) if tensorboard is not None else None
    shown = _training_progress(shown=progress)
    with global_state.preserved(), shown as bar, logged(bar, logs) as logging:
        record = run.train(training, load, progress=logging)
    run_store.save(record, Path(runs_dir))
    return record


def check(
    model: AnyPath = config.LATEST_MODEL,
    *,
    contract: AnyPath | Contract | None = None,
    runs_dir: AnyPath = config.RUNS_FOLDER,
    data_dir: AnyPath | None = None,
    mirror: str | None = None,
    offline: bool = False,
    progress: bool = False,
) -> Check:
    """Vet a model file, evaluate it against the contract, and add the check to its run's record.

    The model is vetted and loaded in a child process, never in this one.

    Parameters
    ----------
    model
        Model file: ``.h5``, ``.hdf5`` or ``.keras``.
    contract
        A `Contract`, or a TOML file with one. By default the table ``[tool.mnist-tasks.contract]``
        of ``pyproject.toml`` in the current folder; without one, the four default clauses.
    runs_dir
        Folder of the run records. If a run in it made this model, its record gets the check.
    data_dir, mirror, offline, progress
        As in `load_data`.

    Returns
    -------
    check
        ``check.verdict.passed`` and its clauses, ``check.metrics``, ``check.layers``, ...

    Raises
    ------
    InputRefusedError
        The file is missing, corrupt or unsafe.
    EnvironmentProblemError
        TensorFlow is missing, the model ran out of time or memory, or a file can't be written.
    """
    from mnist_tasks.checking import contract_file
    from mnist_tasks.checking.checker import Checker
    from mnist_tasks.checking.contract import Contract

    if isinstance(contract, Contract):
        loaded = contract_file.LoadedContract(contract=contract)
    else:
        loaded = contract_file.load(None if contract is None else Path(contract))
    data = load_data("test", data_dir=data_dir, mirror=mirror, offline=offline, progress=progress)
    checker = Checker(contract=loaded.contract, digits=data, source=loaded.source)
    found, probabilities = checker.check(Path(model))
    run_store.attach(found, Path(runs_dir), probabilities)
    return found


def vet(model: AnyPath = config.LATEST_MODEL) -> VettedFile:
    """Vet a model file without loading it, to tell whether Keras can open it safely.

    Raises
    ------
    InputRefusedError
        The file is missing, corrupt or unsafe.
    """
    from mnist_tasks.vetting import sandbox

    return sandbox.vet(Path(model))


def report(
    *runs: str,
    html: AnyPath | None = None,
    markdown: AnyPath | None = None,
    csv: AnyPath | None = None,
    runs_dir: AnyPath = config.RUNS_FOLDER,
    data_dir: AnyPath | None = None,
) -> Path:
    """Write the HTML page of a run, or of several side by side.

    Parameters
    ----------
    runs
        Ids or the starts of them, records' paths, or ``latest``, the default. Several runs are
        compared, each with the first.
    html
        Page to write: by default ``report.html`` beside the run's record, or ``comparison.html`` in
        `runs_dir`.
    markdown
        Markdown file to write, too.
    csv
        Folder for the plotted data as CSV files.
    runs_dir
        Folder of the run records.
    data_dir
        As in `load_data`: the page shows images from it, and does without if it is empty.

    Returns
    -------
    page
        The path of the HTML page.

    Raises
    ------
    InputRefusedError
        There is no such run.
    EnvironmentProblemError
        A file can't be written.
    """
    from mnist_tasks.reporting import comparison, files

    shown = comparison.view(runs, Path(runs_dir), data_folder(data_dir))
    page = Path(html) if html else files.default_page(shown, Path(runs_dir))
    files.write_report(
        shown,
        files.ReportFiles(
            html=page,
            markdown=Path(markdown) if markdown else None,
            csv=Path(csv) if csv else None,
        ),
    )
    return page


def data_config(data_dir: AnyPath | None, *, mirror: str | None, offline: bool) -> DataConfig:
    """Return where the data is: by default, where the environment variables say."""
    folder = data_dir or os.environ.get("MNIST_TASKS_DATA")
    return DataConfig(
        folder=Path(folder) if folder else None,
        mirror=mirror or os.environ.get("MNIST_TASKS_MIRROR"),
        offline=offline,
    )


def data_folder(data_dir: AnyPath | None) -> Path:
    """Return the folder of the data files."""
    from mnist_tasks.data import store

    return data_config(data_dir, mirror=None, offline=True).folder or store.default_folder()


def _download_progress(*, shown: bool) -> Any:
    if not shown:
        from mnist_tasks.data.download import SilentProgress

        return SilentProgress()
    from mnist_tasks.reporting.terminal.progress import DownloadProgress

    return DownloadProgress()


def _training_progress(*, shown: bool) -> AbstractContextManager[EpochProgress]:
    if not shown:
        from mnist_tasks.training.loop import SILENT

        return nullcontext(SILENT)
    from mnist_tasks.reporting.terminal.progress import TrainingProgress

    return TrainingProgress()
