"""The loop over epochs: feeds batches to a trainer, and collects loss and accuracy."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import numpy as np

from mnist_tasks.data.download import SilentProgress
from mnist_tasks.data.store import LabeledImages
from mnist_tasks.errors import UsageError
from mnist_tasks.records import Epoch, Point
from mnist_tasks.training import augmentation, batches
from mnist_tasks.training.prefetch import prefetch
from mnist_tasks.training.recipe import Recipe

if TYPE_CHECKING:
    from mnist_tasks.training.trainer import Trainer
    from mnist_tasks.training.validation import Validated

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
    data: LabeledImages,
    *,
    seed: int,
    smallest: int,
    progress: EpochProgress,
    augment: batches.Augment | None = None,
    validate: Callable[[], Validated] | None = None,
) -> tuple[tuple[Epoch, ...], tuple[Point, ...]]:
    """Train the trainer's model in place; `smallest` and `augment` are as in `batches.epoch`.

    Parameters
    ----------
    validate
        Evaluates the model on the validation images. It leaves the weights as they are.

    Raises
    ------
    UsageError
        The loss is not finite: the learning rate is too high.
    """
    images = len(data.labels)
    steps = len(batches.sizes(images, recipe.batch_size, smallest=smallest))
    random = np.random.default_rng(seed)
    epochs: list[Epoch] = []
    curve: list[Point] = []
    progress.begin(recipe.epochs, images)
    step = 0
    for epoch in range(1, recipe.epochs + 1):
        start = time.perf_counter()
        seen, loss, correct = 0, 0.0, 0
        groups = batches.epoch(
            data,
            batch_size=recipe.batch_size,
            steps=math.ceil(steps / POINTS_PER_EPOCH),
            random=random,
            transform=augmentation.of_recipe(recipe),
            smallest=smallest,
            augment=augment,
        )
        # The user's own function stays in the main thread, as she would expect.
        for pixels, labels in prefetch(groups) if recipe.is_affine and not augment else groups:
            more_loss, more_correct = trainer.run(pixels, labels)
            step += len(labels)
            require_finite(more_loss, step, recipe.learning_rate)
            seen, loss, correct = seen + labels.size, loss + more_loss, correct + more_correct
            curve.append(Point(step=step, loss=loss / seen, accuracy=correct / seen))
            progress.advance(epoch, seen, loss / seen, correct / seen)
        seconds = time.perf_counter() - start
        found = validate() if validate else None
        if found:
            progress.note(found.as_text(epoch, recipe.epochs))
        epochs.append(
            Epoch(
                epoch=epoch,
                loss=loss / seen,
                accuracy=correct / seen,
                seconds=seconds,
                images_per_second=seen / seconds,
                validation_loss=found.loss if found else None,
                validation_accuracy=found.accuracy if found else None,
            )
        )
    trainer.finish()
    return tuple(epochs), thinned(curve)


def require_finite(loss: float, step: int, learning_rate: float) -> None:
    """Raise a `UsageError` if a loss is not finite."""
    if not math.isfinite(loss):
        raise UsageError(
            "the learning rate",
            expected="a value with which the loss falls",
            found=f"{learning_rate:g}: the loss is {loss} by step {step}",
            remedy="Choose a lower one. Nothing was saved.",
        )


def thinned(curve: list[Point]) -> tuple[Point, ...]:
    """Return a curve of at most `LONGEST_CURVE` points, which keeps its last point."""
    return tuple(curve[::-1][:: math.ceil(len(curve) / LONGEST_CURVE)][::-1]) if curve else ()
