"""Load a data set."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mnist_tasks.data import datasets
from mnist_tasks.data.loading import DataConfig

if TYPE_CHECKING:
    from mnist_tasks.data.datasets import Split
    from mnist_tasks.data.store import LabeledImages

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

    shown: AbstractContextManager[download.Progress] = nullcontext(download.SilentProgress())
    if progress:
        from mnist_tasks.reporting.terminal.progress import DownloadProgress  # slow to import

        shown = DownloadProgress()
    return loading.load(split, data_config(data, dataset), progress=shown)


def data_config(data: Data, dataset: str | None = None) -> DataConfig:
    """Return which data set is used, and where it is.

    By default, ``$MNIST_TASKS_DATA`` and ``$MNIST_TASKS_MIRROR`` say where; no other variable is
    read.

    Raises
    ------
    UsageError
        There is no such data set.
    """
    if not isinstance(data, DataConfig):
        folder = data or os.environ.get("MNIST_TASKS_DATA")
        mirror = os.environ.get("MNIST_TASKS_MIRROR")
        # An empty variable counts as none, as on the command line.
        data = DataConfig(folder=Path(folder) if folder else None, mirror=mirror or None)
    return data if dataset is None else replace(data, dataset=datasets.find(dataset))
