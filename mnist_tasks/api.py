"""The public functions, which are also what the command line calls.

They print nothing unless ``progress=True``, and raise `MnistTasksError`, never `SystemExit`.
The parameter `data` is the folder of the data files or a `DataConfig`; the default is
``$MNIST_TASKS_DATA`` or the platform's cache folder.
"""

from __future__ import annotations

import os
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mnist_tasks import check_store, config, disk, run_models
from mnist_tasks.data import datasets
from mnist_tasks.data.loading import DataConfig

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import keras

    from mnist_tasks.checking.contract import Contract
    from mnist_tasks.checking.contract_file import LoadedContract
    from mnist_tasks.data.datasets import Split
    from mnist_tasks.data.store import LabeledImages
    from mnist_tasks.records import Check, RunRecord
    from mnist_tasks.training.recipes import Recipe
    from mnist_tasks.vetting.inspection import VettedFile

    AnyPath = str | os.PathLike[str]
    Data = AnyPath | DataConfig | None


def load_data(
    split: Split, *, dataset: str | None = None, data: Data = None, progress: bool = False
) -> LabeledImages:
    """Load the images and labels of a split, and fetch them first if they are missing.

    The result unpacks into arrays: ``images, labels = load_data("test")``.

    Parameters
    ----------
    split
        ``train`` (60,000 images) or ``test`` (10,000).
    dataset
        ``mnist``, the default, ``fashion-mnist``, or the name of a table
        ``[tool.mnist-tasks.datasets.NAME]`` in the ``pyproject.toml`` of the current folder's
        project.
    data
        Folder of the data files, or a `DataConfig`, which can also name a mirror or forbid the
        network.
    progress
        Whether to show the progress of a download on standard error.

    Returns
    -------
    data
        ``.images``: (n, 28, 28) uint8, 0 to 255; ``.labels``: (n,) uint8, 0 to 9; both read-only.
        Other data sets have images of their own size, color images (n, h, w, 3), and labels from 0
        to their number of classes less one.

    Raises
    ------
    MnistTasksError
        The data is missing and can't be fetched.
    """
    from mnist_tasks.data import download, loading

    shown = _live().DownloadProgress() if progress else nullcontext(download.SilentProgress())
    return loading.load(split, data_config(data, dataset), progress=shown)


def train(
    *,
    recipe: str | Recipe = "default",
    network: AnyPath | Callable[..., keras.Model] | None = None,
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
    force: bool = False,
    runs_dir: AnyPath = config.RUNS_FOLDER,
    if_needed: bool = False,
    dataset: str | None = None,
    data: Data = None,
    progress: bool = False,
) -> RunRecord:
    """Train a recipe or a network of your own, and save the model and the record of the run.

    TensorFlow sets its threads and devices once per process: a later call in the same process needs
    the same `device`, `threads` and ``micro_batches``, which differ between the recipes.

    Parameters
    ----------
    recipe
        ``default``, ``plain``, one of the project that the current folder is in, or a `Recipe`.
    network
        A function that returns a Keras model, or where it is: ``net.py``, ``net.py:build`` or
        ``package.module:build``. The code is run in this process. The recipe then supplies only
        the epochs and the batch size; and the optimizer, unless the model is compiled.
    epochs, batch_size, learning_rate
        Override the recipe's values.
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
        Train on the first `limit` images only.
    output
        Model file to write: ``.h5`` or ``.keras``. The run keeps a copy beside its record.
    force
        Whether to replace an `output` that no run in `runs_dir` made.
    runs_dir
        Folder of the run records.
    if_needed
        Whether to return the run that made the `output` file, and train nothing, if the settings,
        the code, the data, the versions and the file are those of that run.
    dataset, data, progress
        As in `load_data`.

    Raises
    ------
    MnistTasksError
        A setting is invalid, the network fails, the data, TensorFlow or the device is missing, or
        the disk is full.
    """
    from functools import cache, partial

    from mnist_tasks.training import (
        loop,
        network_file,
        own_recipes,
        run,
        tensorflow_setup,
        up_to_date,
    )

    file: network_file.NetworkFile | None = None
    if callable(network):
        file = network_file.of_function(network)
        network = network_file.reference(file)
    elif network is not None:
        network = os.fspath(network)
        file = network_file.find(network)

    source = data_config(data, dataset)
    training = config.TrainingConfig(
        recipe=own_recipes.find(recipe) if isinstance(recipe, str) else recipe,
        network=network,
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
        dataset=source.dataset.info.name,
    )
    config.refuse_many_workers(os.environ)
    runs = Path(runs_dir)
    if not force:
        run_models.require_own(training.output, runs, force="--force")
    disk.require_writable(training.output.parent, remedy=run_models.OTHER_OUTPUT)
    load = cache(partial(load_data, "train", data=source, progress=progress))
    if if_needed:
        found = up_to_date.find(training, load, runs, file)
        if progress:
            from mnist_tasks import console

            console.note(up_to_date.as_text(found, training))
        if not isinstance(found, str):
            return found
    shown = _live().TrainingProgress() if progress else nullcontext(loop.SILENT)
    with run_models.new_folder(runs) as folder:
        own = folder / f"model{training.output.suffix}"
        with tensorflow_setup.preserved_state(), shown as bar:
            record = run.train(replace(training, output=own), load, network=file, progress=bar)
        record = replace(
            record,
            id=folder.name,
            command=run.command(training),
            model=replace(record.model, path=str(training.output)),
        )
        run_models.publish(record, runs)
    return record


def check(
    model: AnyPath = config.LATEST_MODEL,
    *,
    contract: AnyPath | Contract | None = None,
    runs_dir: AnyPath = config.RUNS_FOLDER,
    dataset: str | None = None,
    data: Data = None,
    require_isolation: bool = False,
) -> Check:
    """Vet a model file, evaluate it against the contract, and add the check to its run's record.

    The model is vetted and loaded in a child process, never in this one.

    Parameters
    ----------
    model
        Model file in HDF5 or the ``.keras`` format, whatever its name.
    contract
        A `Contract`, or a TOML file with one. By default that of the project that the current
        folder is in, as `mnist_tasks.project.find` finds it; without one, the default clauses.
    runs_dir
        Folder of the run records. If a run in it made this model, its record gets the check;
        otherwise the check is saved in its folder ``checks``.
    dataset, data
        As in `load_data`; the default is the data set of the run that made this model, if any.
    require_isolation
        Whether to refuse to read the file where the process that does so can't be confined.

    Raises
    ------
    InputRefusedError
        The file is missing, corrupt, unsupported or unsafe.
    EnvironmentProblemError
        TensorFlow is missing, the model ran out of time or memory, or an essential protection is
        not on.
    """
    from mnist_tasks.checking import model_dataset
    from mnist_tasks.checking.checker import Checker

    loaded = _contract(contract)
    source = data_config(data, dataset)
    if dataset is None and not isinstance(data, DataConfig):
        of_run = model_dataset.find([Path(model)], Path(runs_dir))
        source = replace(source, dataset=of_run or source.dataset)
    images = load_data("test", data=source)
    checker = Checker(
        contract=loaded.contract,
        data=images,
        source=loaded.source,
        require_isolation=require_isolation,
    )
    found, probabilities = checker.check(Path(model))
    check_store.attach(found, Path(runs_dir), probabilities)
    return found


def vet(
    model: AnyPath = config.LATEST_MODEL,
    *,
    contract: AnyPath | Contract | None = None,
    require_isolation: bool = False,
) -> VettedFile:
    """Check whether a model file is safe to open with Keras, without loading it.

    Parameters
    ----------
    model, require_isolation
        As in `check`.
    contract
        As in `check`; only its ``bytes_below`` and ``parameters_below`` matter, which raise the
        limits of the file.

    Raises
    ------
    InputRefusedError
        The file is missing, corrupt, unsupported or unsafe.
    EnvironmentProblemError
        An essential protection is required, and not on.
    """
    from mnist_tasks.vetting import sandbox
    from mnist_tasks.vetting.limits import Limits

    limit = _contract(contract).contract
    limits = Limits(require_isolation=require_isolation).raised(
        file_bytes=limit.bytes_below, parameters=limit.parameters_below
    )
    return sandbox.vet(Path(model), limits=limits)


def report(
    *runs: str,
    html: AnyPath | None = None,
    runs_dir: AnyPath = config.RUNS_FOLDER,
    data: Data = None,
) -> Path:
    """Write the HTML page of a run, or of several side by side, and return its path.

    Parameters
    ----------
    runs
        Run ids, unique prefixes of them, or paths of records; ``latest`` by default. Several runs
        are each compared with the first.
    html
        Page to write: by default ``report.html`` beside the run's record, or ``comparison.html`` in
        `runs_dir`.
    runs_dir
        Folder of the run records.
    data
        As in `load_data`; without data files, the page shows no images.

    Raises
    ------
    MnistTasksError
        There is no such run, or the page can't be written.
    """
    from mnist_tasks.reporting import comparison, files

    shown = comparison.view(runs, Path(runs_dir), data_config(data).folder)
    page = Path(html) if html else files.default_page(shown, Path(runs_dir))
    files.write_report(shown, files.ReportFiles(html=page))
    return page


def data_config(data: Data, dataset: str | None = None) -> DataConfig:
    """Return which data set is used, and where it is: by default from the environment variables.

    Raises
    ------
    UsageError
        There is no such data set.
    """
    if not isinstance(data, DataConfig):
        folder = data or os.environ.get("MNIST_TASKS_DATA")
        mirror = os.environ.get("MNIST_TASKS_MIRROR")
        data = DataConfig(folder=Path(folder) if folder else None, mirror=mirror)
    return data if dataset is None else replace(data, dataset=datasets.find(dataset))


def _contract(contract: AnyPath | Contract | None) -> LoadedContract:
    from mnist_tasks.checking import contract_file
    from mnist_tasks.checking.contract import Contract

    if isinstance(contract, Contract):
        source = None if contract == Contract() else "a contract in Python"
        return contract_file.LoadedContract(contract=contract, source=source)
    return contract_file.load(None if contract is None else Path(contract))


def _live() -> Any:
    from mnist_tasks.reporting.terminal import progress  # rich is slow to import

    return progress
