"""The public functions: what the command line calls, for Python programs and notebooks.

They print nothing unless ``progress=True``, and raise `MnistTasksError` and never `SystemExit`.
"""

from __future__ import annotations

import os
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from mnist_tasks import config, disk, run_store
from mnist_tasks.data.loading import DataConfig

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mnist_tasks.checking.checker import Checker
    from mnist_tasks.data.datasets import Split
    from mnist_tasks.data.store import LabeledImages
    from mnist_tasks.records import Check, RunRecord
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
    runs: AnyPath = config.RUNS_FOLDER,
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
    runs
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
    from mnist_tasks.training import run
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
    disk.try_writing(Path(runs), remedy=run_store.OTHER_FOLDER)
    data = data_config(data_dir, mirror=mirror, offline=offline)
    load = partial(loading.load, "train", data, progress=_download_progress(shown=progress))
    with ExitStack() as stack:
        shown = stack.enter_context(_training_progress(shown=progress))
        logs = Path(tensorboard) if tensorboard is not None else None
        record = run.train(
            training, load, progress=stack.enter_context(logged(shown, logs)), note=shown.note
        )
    run_store.save(record, Path(runs))
    return record
