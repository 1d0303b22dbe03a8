"""The options of a training run, validated before TensorFlow is loaded."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from mnist_tasks import cgroups, constraints, dataset_info, disk
from mnist_tasks.errors import UsageError, printable

DEVICES = ("auto", "cpu", "gpu", "all")
DEVICE = re.compile(rf"{'|'.join(DEVICES)}|gpu:\d{{1,3}}")
MODEL_SUFFIXES = (".h5", ".keras")
LATEST_MODEL = Path("model_latest.h5")
RUNS_FOLDER = Path("runs")
SWEEPS_FOLDER = Path("sweeps")
LARGEST_SEED = 2**32 - 1  # NumPy's

Seed = Annotated[int, Meta(ge=0, le=LARGEST_SEED)]
Epochs = Annotated[int, Meta(ge=1, le=1000, description="Passes over the training images.")]
Limit = Annotated[int, Meta(ge=1, le=dataset_info.MOST_TRAINING_IMAGES)]
Validation = Annotated[int, Meta(ge=0, lt=dataset_info.MOST_TRAINING_IMAGES)]
Threads = Annotated[int, Meta(ge=1, le=1024)]
Precision = Literal["float32", "mixed_bfloat16"]
SettingValue = float | str  # of a setting of a recipe; an `int` where that is its type
Settings = tuple[tuple[str, SettingValue], ...]


def available_cores() -> int:
    """Return the number of cores that this process may use, by its affinity and its cgroups."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return min(cores, cgroups.core_limit() or cores)


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """One training run. ``None`` keeps the recipe's own setting.

    Attributes
    ----------
    recipe
        Name of a recipe in `training.recipes`, or a `Recipe` of the user's own.
    network
        The user's own network, such as ``net.py:build``, in place of the recipe's.
    seed
        Random seed for weight initialization, shuffling and dropout.
    epochs, batch_size, learning_rate
        As in `training.recipe.Recipe`, which validates them.
    limit
        Train on the first `limit` images only.
    validation
        Hold out the last `validation` training images, and evaluate on them after each epoch.
    device
        ``auto`` uses a GPU if there is one; ``cpu``; ``gpu`` is ``gpu:0``, the first; ``all`` uses
        all GPUs of this machine.
    threads
        TensorFlow threads on the CPU; all available cores by default.
    precision
        ``float32``, or ``mixed_bfloat16`` for the convolutions during training; the saved model is
        float32.
    output
        Model file to write: ``.h5`` or ``.keras``.
    settings
        Names and values of other settings of the recipe, in alphabetical order.
    dataset
        Name of the data set.
    """

    recipe: str | Struct = "default"
    network: str | None = None
    seed: Seed = 0
    epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    limit: Limit | None = None
    validation: Validation = 0
    device: str = "auto"
    threads: Threads = field(default_factory=available_cores)
    precision: str = "float32"
    output: Path = LATEST_MODEL
    settings: Settings = ()
    dataset: str = dataset_info.MNIST.name

    def __post_init__(self) -> None:
        if not isinstance(self.recipe, Struct):
            constraints.convert_value(self.recipe, str, "--recipe")
        for option in ("device", "precision"):
            constraints.convert_value(getattr(self, option), str, f"--{option}")
        constraints.convert_value(self.network, str | None, "--network")
        constraints.convert_value(self.seed, Seed, "--seed")
        constraints.convert_value(self.limit, Limit | None, "--limit")
        constraints.convert_value(self.validation, Validation, "--validation")
        constraints.convert_value(self.threads, Threads, "--threads")
        constraints.convert_value(self.precision, Precision, "--precision")
        if self.network is not None and self.precision != "float32":
            raise UsageError(
                "--precision",
                expected="float32 with --network",
                found=printable(self.precision),
                remedy="Set the dtype of the network's layers instead.",
            )
        if not DEVICE.fullmatch(self.device):
            raise UsageError(
                "--device",
                expected="auto, cpu, gpu, gpu:N (the first is gpu:0) or all",
                found=printable(self.device),
            )
        if found := disk.obstacle(self.output):
            raise UsageError("--output", expected="a file", found=f"{found}: {self.output}")
        if self.output.suffix not in MODEL_SUFFIXES:
            expected = f"a file name that ends in {' or '.join(MODEL_SUFFIXES)}"
            raise UsageError("--output", expected=expected, found=str(self.output))


def refuse_many_workers(environment: Mapping[str, str]) -> None:
    """Refuse a ``TF_CONFIG`` that distributes a run over several workers."""
    try:
        cluster = json.loads(environment.get("TF_CONFIG", "{}"))["cluster"]
        workers = sum(len(cluster[job]) for job in ("chief", "worker") if job in cluster)
    except (ValueError, LookupError, TypeError, RecursionError):
        return  # on one machine, nothing else in this variable matters
    if workers > 1:
        raise UsageError(
            "TF_CONFIG",
            expected="a run on one machine: a model this small trains more slowly on several",
            found=f"{workers} workers",
            remedy="Unset TF_CONFIG. `--device all` uses every GPU of a machine, and "
            "`mnist-tasks sweep --on ray` trains many models on many machines.",
        )
