"""A small data set for worker processes, which import this module."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mnist_tasks.data.loading import DataConfig
from mnist_tasks.sweeping import job
from tests import generated

if TYPE_CHECKING:
    from pathlib import Path

    from mnist_tasks.sweeping.job import Images


def load(folder: Path) -> Images:
    generated.register(generated.write(folder, train=512, test=128))
    return job.load_images(DataConfig(folder=folder), "validation")


def without_files(folder: Path) -> Images:
    return job.load_images(DataConfig(folder=folder), "validation")


def fail_to_load() -> Images:
    raise OSError("the images are missing")
