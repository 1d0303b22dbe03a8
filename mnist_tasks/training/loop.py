"""The loop over epochs: feeds batches to a trainer, and collects loss and accuracy."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Protocol

import numpy as np

from mnist_tasks.data.download import SilentProgress
from mnist_tasks.data.store import LabeledImages
from mnist_tasks.errors import UsageError
from mnist_tasks.records import Epoch, Point
from mnist_tasks.training import batches
from mnist_tasks.training.recipes import Recipe

if TYPE_CHECKING:
    from mnist_tasks.training.trainer import Trainer

POINTS_PER_EPOCH = 50
LONGEST_CURVE = 500  # points
SILENT = SilentProgress()


class EpochProgress(Protocol):
    """Receives the progress of a training."""

    def begin(self, epochs: int, images: int) -> None:
        """Start a training of `epochs` passes over `images` images."""

    def advance(self, epoch: int, images: int, loss: float, accuracy: float) -> None:
        """Report the images done in an epoch, and the means of loss and accuracy over them."""

    def note(self, message: str) -> None:
        """Report a one-line message."""


def run(
    trainer: Trainer,
    recipe: Recipe,
    digits: LabeledImages,
    *,
    seed: int,
    smallest: int,
    progress: EpochProgress,
) -> tuple[tuple[Epoch, ...], tuple[Point, ...]]:
    """Train the trainer's model in place; `smallest` is as in `batches.sizes`.

    Raises
    ------
    UsageError
        The loss is not finite: the learning rate is too high.
    """
    images = len(digits.labels)
    steps = len(batches.sizes(images, recipe.batch_size, smallest=smallest))
    random = np.random.default_rng(seed)
    epochs: list[Epoch] = []
    curve: list[Point] = []
    progress.begin(recipe.epochs, images)
    step = 0
    for epoch in range(1, recipe.epochs + 1):
        start = time.perf_counter()
        seen, loss, correct = 0, 0.0, 0
        for pixels, labels in batches.epoch(
            digits,
            batch_size=recipe.batch_size,
            max_shift=recipe.max_shift,
            steps=math.ceil(steps / POINTS_PER_EPOCH),
            random=random,
            smallest=smallest,
        ):
            more_loss, more_correct = trainer.run(pixels, labels)
            step += len(labels)
            if not math.isfinite(more_loss):
                raise UsageError(
                    "the learning rate",
                    expected="a value with which the loss falls",
                    found=f"{recipe.learning_rate:g}: the loss is {more_loss} by step {step}",
                    remedy="Choose a lower one. Nothing was saved.",
                )
            seen, loss, correct = seen + labels.size, loss + more_loss, correct + more_correct
            point = Point(step=step, loss=loss / seen, accuracy=correct / seen)
            curve.append(point)
            progress.advance(epoch, seen, point.loss, point.accuracy)
        seconds = time.perf_counter() - start
        epochs.append(
            Epoch(
                epoch=epoch,
                loss=loss / seen,
                accuracy=correct / seen,
                seconds=seconds,
                images_per_second=seen / seconds,
            )
        )
    trainer.finish()
    # A long curve is thinned out, but keeps its last point.
    thinned = curve[::-1][:: math.ceil(len(curve) / LONGEST_CURVE)][::-1]
    return tuple(epochs), tuple(thinned)
