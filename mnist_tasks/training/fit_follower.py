"""A Keras callback that follows Keras's ``fit``: its progress, its epochs and its curve."""

from __future__ import annotations

import itertools
import math
import time
from contextlib import ExitStack
from typing import Any

import keras
import numpy as np

from mnist_tasks.errors import InputRefusedError
from mnist_tasks.records import Epoch, Point
from mnist_tasks.training import loop
from mnist_tasks.training.loop import EpochProgress
from mnist_tasks.training.network_file import REASON
from mnist_tasks.training.validation import Validated, averaged, validated


class Follower(keras.callbacks.Callback):  # type: ignore[misc]
    """Reports the progress of ``fit``, and collects its epochs and its curve.

    Parameters
    ----------
    validation
        Number of validation images.
    averages
        Whether to evaluate them with averaged weights: not if a callback of the user does.
    """

    def __init__(
        self,
        sizes: list[int],
        epochs: int,
        progress: EpochProgress,
        *,
        validation: int,
        averages: bool,
    ) -> None:
        super().__init__()
        self.accuracy: keras.metrics.Metric | None = None
        self.epochs: list[Epoch] = []
        self.curve: list[Point] = []
        self._seen = list(itertools.accumulate(sizes))
        self._every = math.ceil(len(sizes) / loop.POINTS_PER_EPOCH)
        self._progress = progress
        self._of_epochs = epochs
        self._validation = validation
        self._averages = averages
        self._averaged = ExitStack()
        self._steps = self._step = 0  # before this epoch, and in it
        self._start = self._seconds = 0.0

    def on_epoch_begin(self, _epoch: int, _logs: Any = None) -> None:
        """Start the clock, and the mean accuracy."""
        self._steps, self._step = self._steps + self._step, 0
        self._start = time.perf_counter()
        if self.accuracy is not None:
            self.accuracy.reset_state()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Add a point to the curve, at most `loop.POINTS_PER_EPOCH` times.

        Keras calls this once for several batches, if the model has `steps_per_execution`; their
        last one is then beyond an epoch that they don't divide.
        """
        previous, self._step = self._step, min(batch + 1, len(self._seen))
        is_last = self._step == len(self._seen)
        if not is_last and self._step // self._every == previous // self._every:
            return
        loss, accuracy = self._means(logs, self._seen[self._step - 1])
        step = self._steps + self._step
        loop.require_finite(loss, step, float(np.asarray(self._rate())))
        self.curve.append(Point(step=step, loss=loss, accuracy=accuracy))
        self._progress.advance(len(self.epochs) + 1, self._seen[self._step - 1], loss, accuracy)

    def on_test_begin(self, _logs: Any = None) -> None:
        """Stop the clock for the validation, whose weights are those that would be saved."""
        self._seconds = time.perf_counter() - self._start
        if self.accuracy is not None:
            self.accuracy.reset_state()
        if self._averages:
            self._averaged.enter_context(
                averaged(self.model.trainable_variables, self.model.optimizer)
            )

    def on_test_end(self, _logs: Any = None) -> None:
        """Restore the weights."""
        self._averaged.close()

    def on_epoch_end(self, _epoch: int, logs: Any = None) -> None:
        """Record the epoch."""
        found = self._validated(logs)
        seconds = self._seconds if found else time.perf_counter() - self._start
        seen = self._seen[self._step - 1]  # a callback may have ended the epoch
        loss, accuracy = self._means(logs, seen)
        self.epochs.append(
            Epoch(
                epoch=len(self.epochs) + 1,
                loss=loss,
                accuracy=accuracy,
                seconds=seconds,
                images_per_second=seen / seconds,
                validation_loss=found.loss if found else None,
                validation_accuracy=found.accuracy if found else None,
            )
        )

    def _validated(self, logs: Any) -> Validated | None:
        """Return the results of the validation that ended with this epoch, if there was one."""
        if not self._validation:
            return None
        found = {name.removeprefix("val_"): logs[name] for name in logs if name.startswith("val_")}
        result = validated(*self._means(found, self._validation, step="test"))
        self._progress.note(result.as_text(len(self.epochs) + 1, self._of_epochs))
        return result

    def _rate(self) -> Any:
        return self.model.optimizer.learning_rate

    def _means(self, logs: Any, images: int, *, step: str = "training") -> tuple[float, float]:
        """Return the mean loss and accuracy of the epoch so far, after some images."""
        found = dict(logs or {})
        if missing := {"loss", "accuracy"} - found.keys():
            raise InputRefusedError(
                f"the {step} step of {type(self.model).__name__}",
                expected="a dictionary with loss and accuracy",
                found=f"no {' and no '.join(sorted(missing))}",
                remedy="Return self.compute_metrics(...) and the loss.",
                reason=REASON,
            )
        accuracy = float(found["accuracy"])
        if not 0 <= accuracy <= 1:
            raise InputRefusedError(
                f"the accuracy of {type(self.model).__name__}",
                expected="a share of the images, from 0 to 1",
                found=f"{accuracy:g}",
                reason=REASON,
            )
        # Keras computes the accuracy in float32; it is a fraction of the images.
        return float(found["loss"]), round(accuracy * images) / images
