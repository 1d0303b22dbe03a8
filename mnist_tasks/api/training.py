"""Train a model, and save it with the record of the run."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mnist_tasks import config, disk, records, run_models
from mnist_tasks.api.data import data_config, load_data

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import keras

    from mnist_tasks.api.data import AnyPath, Data
    from mnist_tasks.config import SettingValue
    from mnist_tasks.records import RunRecord
    from mnist_tasks.training.loop import EpochProgress
    from mnist_tasks.training.recipe import Recipe


def train(
    *,
    recipe: str | Recipe = "default",
    network: AnyPath | Callable[..., keras.Model] | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    settings: Mapping[str, SettingValue] | None = None,
    seed: int = 0,
    device: str = "auto",
    threads: int | None = None,
    precision: str = "float32",
    limit: int | None = None,
    validation: int = 0,
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
        ``default``, ``plain``, ``accurate``, ``small``, ``tiny``, one of the project that the
        current folder is in, or a `Recipe`.
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
    validation
        Hold out the last `validation` training images, and evaluate on them after each epoch with
        the weights that would be saved then.
    output
        Model file to write: ``.h5`` or ``.keras``. The run keeps a copy beside its record.
    force
        Whether to replace an `output` that no run in `runs_dir` made.
    runs_dir
        Folder of the run records.
    if_needed
        Whether to return the run that made the `output` file, and train nothing, if the settings,
        the code, the data, the versions and the file are those of that run. What a function uses
        from elsewhere isn't known: name its file as the `network`, or it is always trained.
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
        validation=validation,
        output=Path(output),
        dataset=source.dataset.info.name,
    )
    config.refuse_many_workers(os.environ)
    runs = Path(runs_dir)
    if not force:
        run_models.require_own(training.output, runs, force="--force")
    disk.require_output(training.output, remedy=run_models.OTHER_OUTPUT)
    load = cache(partial(load_data, "train", data=source, progress=progress))
    if if_needed:
        found = up_to_date.find(training, load, runs, file)
        if progress:
            from mnist_tasks import console

            console.note(up_to_date.as_text(found, training))
        if not isinstance(found, str):
            return found
    shown: AbstractContextManager[EpochProgress] = nullcontext(loop.SILENT)
    if progress:
        from mnist_tasks.reporting.terminal.progress import TrainingProgress  # slow to import

        shown = TrainingProgress()
    run_id = records.new_id()
    with run_models.new_folder(runs) as folder:
        own = run_models.own_path(folder, training.output)
        with tensorflow_setup.preserved_state(), shown as bar:
            record = run.train(
                replace(training, output=own),
                load,
                network=file,
                progress=bar,
                copy=training.output,
            )
        record = replace(
            record,
            id=run_id,
            command=run.command(training),
            model=replace(record.model, path=str(training.output)),
        )
        return run_models.publish(record, folder)
