"""What a user can choose of a training run, validated before anything heavy starts."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mnist_tasks import cgroups
from mnist_tasks.errors import UsageError, printable

if TYPE_CHECKING:
    from collections.abc import Mapping

DEVICE = re.compile(r"auto|cpu|gpu(:\d{1,3})?|all")
PRECISIONS = ("float32", "mixed_bfloat16")
MODEL_SUFFIXES = (".h5", ".keras")
LATEST_MODEL = Path("model_latest.h5")
RUNS_FOLDER = Path("runs")
SWEEPS_FOLDER = Path("sweeps")
LARGEST_SEED = 2**32 - 1  # NumPy's


def available_cores() -> int:
    """Return how many processor cores this process may use, by its affinity and its cgroups."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return min(cores, cgroups.cores() or cores)


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """One training run. What is ``None`` is as the recipe has it.

    Attributes
    ----------
    epochs
        Passes over the training images, at least 1.
    batch_size
        Images a step, on all devices together, 1 to 60,000.
    learning_rate
        The highest of the schedule, above 0.
    seed
        Of the weights, the order of the images and the dropout: 0 to 2**32 - 1.
    settings
        Names and values of the recipe's other settings that the user changed (see
        `training.settings`), in alphabetical order.
    device
        ``auto`` takes a GPU where there is one; ``cpu``; ``gpu``, which is ``gpu:0``; ``gpu:1``,
        the second; ``all`` GPUs of this machine.
    threads
        Of TensorFlow on the CPU, at least 1; all available cores by default.
    precision
        ``float32``, or ``mixed_bfloat16`` for the convolutions in training; the saved model is
        float32.
    limit
        Train on the first images only: 1 to 60,000.
    output
        The model file to write: ``.h5`` or ``.keras``.

    Raises
    ------
    UsageError
        A value is out of its range.
    """

    recipe: str = "default"
    epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    settings: tuple[tuple[str, float], ...] = ()
    seed: int = 0
    device: str = "auto"
    threads: int = field(default_factory=available_cores)
    precision: str = "float32"
    limit: int | None = None
    output: Path = LATEST_MODEL

    def __post_init__(self) -> None:
        _in_range("--epochs", self.epochs, 1, 1000)
        _in_range("--batch-size", self.batch_size, 1, 60_000)
        _in_range("--seed", self.seed, 0, LARGEST_SEED)
        _in_range("--threads", self.threads, 1, 1024)
        _in_range("--limit", self.limit, 1, 60_000)
        if self.learning_rate is not None and not 0 < self.learning_rate < float("inf"):
            raise UsageError(
                "--learning-rate", expected="a number above 0", found=str(self.learning_rate)
            )
        if not DEVICE.fullmatch(self.device):
            raise UsageError(
                "--device",
                expected="auto, cpu, gpu, gpu:N (the first is gpu:0) or all",
                found=printable(self.device),
            )
        if self.precision not in PRECISIONS:
            raise UsageError(
                "--precision",
                expected=f"one of {', '.join(PRECISIONS)}",
                found=printable(self.precision),
            )
        if self.output.is_dir():
            raise UsageError("--output", expected="a file", found=f"a folder: {self.output}")
        if self.output.suffix not in MODEL_SUFFIXES:
            raise UsageError(
                "--output",
                expected=f"a file name that ends in {' or '.join(MODEL_SUFFIXES)}",
                found=str(self.output),
            )


def refuse_many_workers(environment: Mapping[str, str]) -> None:
    """Refuse a ``TF_CONFIG`` that shares a run among several workers.

    Raises
    ------
    UsageError
        It names more than one worker.
    """
    try:
        cluster = json.loads(environment.get("TF_CONFIG", "{}"))["cluster"]
        workers = sum(len(cluster[job]) for job in ("chief", "worker") if job in cluster)
    except (ValueError, LookupError, TypeError, RecursionError):
        return  # TensorFlow's variable, of which nothing else concerns a run on one machine
    if workers > 1:
        raise UsageError(
            "TF_CONFIG",
            expected="a run on one machine: a model this small trains more slowly on several",
            found=f"{workers} workers",
            remedy="Unset TF_CONFIG. `--device all` uses every GPU of a machine, and "
            "`mnist-tasks sweep --on ray` trains many models on many machines.",
        )


def _in_range(option: str, value: int | None, lowest: int, highest: int) -> None:
    if value is not None and not lowest <= value <= highest:
        raise UsageError(
            option, expected=f"a whole number from {lowest:,} to {highest:,}", found=f"{value:,}"
        )
