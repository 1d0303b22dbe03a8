"""A Keras callback that leaves a run record of a training of one's own."""

from __future__ import annotations

import math
import os
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras

from mnist_tasks import config, dataset_info, disk, project, records, run_models
from mnist_tasks.data import datasets
from mnist_tasks.errors import InputRefusedError, UsageError, printable
from mnist_tasks.records import Epoch, Point, RunRecord
from mnist_tasks.training import (
    fit_facts,
    library_warnings,
    loop,
    rehearsal,
    saving,
    user_script,
)

OUTPUT, FORCE = "RunRecorder(output=...)", "RunRecorder(force=True)"
OTHER_OUTPUT = f"Name another file: {OUTPUT}"
OTHER_RUNS = "Name another folder: RunRecorder(runs_dir=...)"


class RunRecorder(keras.callbacks.Callback):  # type: ignore[misc]
    """Records a training by `model.fit`: its curves, times, settings, machine, script and model.

    When `fit` is done, the model is saved and a run record is written, with which
    ``mnist-tasks check``, ``report`` and ``runs`` work as for a training by this package::

        model.fit(images, labels, callbacks=[mnist_tasks.RunRecorder()])

    Put it last in the list: it saves the weights that the other callbacks leave. A training that is
    interrupted is not recorded.

    Parameters
    ----------
    output
        Model file to write: ``.h5`` or ``.keras``. The run keeps a copy beside its record. It names
        no class that only the training needs, such as a schedule of the user's, which `check` would
        refuse: such a model is saved without what it was compiled with.
    runs_dir
        Folder of the run records.
    dataset
        Name of the data set that the model is trained on, for the record: `check` and `report` then
        use its test images and the names of its classes. By default that of the project that the
        current folder is in, or else ``mnist``.
    force
        Whether to replace an `output` that no run in `runs_dir` made.

    Attributes
    ----------
    record
        The record of the last training; ``None`` before its end.

    Raises
    ------
    UsageError
        `output` is not valid, or there is no such data set; or, when the training starts, `output`
        exists and no run made it; or, when the training ends, the loss is not finite.
    InputRefusedError
        Keras can't save the model, or load what it saves, which shows when the training starts, or
        after its first batch; or, after that batch, the training reports no loss.
    EnvironmentProblemError
        A folder or file can't be written.
    """

    def __init__(
        self,
        output: str | os.PathLike[str] = config.LATEST_MODEL,
        *,
        runs_dir: str | os.PathLike[str] = config.RUNS_FOLDER,
        dataset: str | None = None,
        force: bool = False,
    ) -> None:
        super().__init__()
        self.record: RunRecord | None = None
        self._output, self._runs, self._force = Path(output), Path(runs_dir), force
        if self._output.suffix not in config.MODEL_SUFFIXES:
            expected = f"a file name that ends in {' or '.join(config.MODEL_SUFFIXES)}"
            raise UsageError(OUTPUT, expected=expected, found=str(output))
        ours = project.find() if dataset is None else None
        default = (ours and ours.settings.dataset) or dataset_info.MNIST.name
        self._dataset = datasets.find(default if dataset is None else dataset).info

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Refuse what can't be written, before hours are spent on a training."""
        if not self._force:
            run_models.require_own(self._output, self._runs, option=OUTPUT, force=FORCE)
        disk.require_output(self._output, remedy=OTHER_OUTPUT)
        disk.require_writable(self._runs, remedy=OTHER_RUNS)
        self._room = ExitStack()
        self._has_room = False
        if self.model.built:
            self._prepare_saving()
        self.record = None
        self._script = user_script.find()
        self._optimizer = fit_facts.optimizer(self.model)
        self._epochs: list[Epoch] = []
        self._curve: list[Point] = []
        self._steps = self._batch_size = 0
        self._begun = time.perf_counter()

    @library_warnings.lenient()
    def _prepare_saving(self) -> None:
        """Save the model once in memory, and keep room for what is saved at the end.

        A model may have no weights before a batch.
        """
        suffix = self._output.suffix
        try:
            content = saving.content(self.model, suffix)
        except Exception as error:  # Keras raises what it likes
            raise InputRefusedError(
                "the model",
                expected=f"one that Keras can save as {suffix}",
                found=printable(f"{type(error).__name__}: {error}", limit=300),
                remedy="Give each class of your own a `get_config`, and try `model.save`.",
            ) from error
        outputs = {
            run_models.own_path(self._runs, self._output): OTHER_RUNS,
            self._output: OTHER_OUTPUT,
        }
        self._room.enter_context(saving.room(self.model, outputs))
        self._has_room = True
        self._rehearsal = rehearsal.rehearse(
            self.model, content, suffix, "the model", self._dataset.image_shape
        )

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Start the clock of an epoch."""
        self._images = self._counted = self._step = 0
        self._epoch_begun = self._last = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Take a point of the curve: in `fit`, the logs are running means of the epoch."""
        if "loss" not in (logs or {}):  # of a training step of one's own
            raise InputRefusedError(
                f"the training step of {printable(type(self.model).__name__)}",
                expected="a dictionary with loss",
                found=f"no loss, but {', '.join(logs)}" if logs else "no loss",
                remedy="Return the loss, too: a finite one shows that the training went well.",
            )
        if not self._has_room:
            self._prepare_saving()
        self._last = time.perf_counter()
        steps = (self.params or {}).get("steps") or 1
        # With `steps_per_execution`, Keras can count beyond the end of an epoch.
        previous, self._step = self._step, batch + 1 if steps == 1 else min(batch + 1, steps)
        every = math.ceil(steps / loop.POINTS_PER_EPOCH)
        is_point = self._step // every > previous // every or self._step == steps
        if is_point or not self._batch_size:
            # A validation overwrites the count before the end of the epoch.
            self._images, self._counted = fit_facts.images_seen(self.model) or 0, self._step
            self._batch_size = self._batch_size or self._images // self._step
        loss, accuracy = fit_facts.loss_and_accuracy(logs or {})
        if is_point and math.isfinite(loss):
            step = self._steps + self._step
            self._curve.append(Point(step=step, loss=loss, accuracy=accuracy))

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Take the results of an epoch."""
        self._steps += self._step
        seconds = self._last - self._epoch_begun  # without a validation
        # A callback may have ended the epoch between two points.
        images = self._images + (self._step - self._counted) * self._batch_size
        loss, accuracy = fit_facts.loss_and_accuracy(logs or {})
        validation_loss, validation_accuracy = fit_facts.validation(logs or {})
        self._epochs.append(
            Epoch(
                epoch=epoch + 1,
                loss=loss,
                accuracy=accuracy,
                seconds=seconds,
                images_per_second=images / seconds if images else None,
                validation_loss=validation_loss,
                validation_accuracy=validation_accuracy,
            )
        )

    @library_warnings.lenient()
    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Save the model and the record."""
        self._room.close()
        seconds = {"fit": round(time.perf_counter() - self._begun, 3)}
        if not self._epochs:
            return
        if not all(math.isfinite(epoch.loss) for epoch in self._epochs):
            raise UsageError(
                "RunRecorder",
                expected="a training with a finite loss",
                found=f"a loss of {self._epochs[-1].loss}",
                remedy="Choose a lower learning rate. Nothing was saved.",
            )
        run_id = records.new_id()
        with run_models.new_folder(self._runs) as folder:
            start = time.perf_counter()
            model = self._rehearsal.to_save(self.model)
            saved = saving.save(model, run_models.own_path(folder, self._output))
            seconds["save"] = round(time.perf_counter() - start, 3)
            script = self._script
            record = RunRecord(
                id=run_id,
                created=records.now(),
                command=user_script.command(script),
                recipe={
                    "name": user_script.name(script),
                    **self._optimizer,
                    **({"batch_size": self._batch_size} if self._batch_size else {}),
                    "epochs": len(self._epochs),
                    "layers": fit_facts.layer_settings(self.model),
                },
                seed=fit_facts.seed(),
                limit=None,
                machine=fit_facts.machine(self.model),
                data={},
                epochs=tuple(self._epochs),
                curve=loop.thinned(self._curve),
                network=fit_facts.layers(self.model),
                filters=fit_facts.filters(self.model),
                seconds=seconds,
                model=replace(saved, path=str(self._output)),
                script=script,
                trainer="fit",
                dataset=self._dataset,
            )
            self.record = run_models.publish(record, folder)
