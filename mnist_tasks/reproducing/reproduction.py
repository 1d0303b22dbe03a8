"""Train again what a record says, in a temporary folder, and compare."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from mnist_tasks import disk, temporary
from mnist_tasks.data.store import LabeledImages
from mnist_tasks.errors import InputRefusedError, UsageError
from mnist_tasks.records import RunRecord
from mnist_tasks.reproducing import differences, recorded, results
from mnist_tasks.reproducing.accuracies import comparable
from mnist_tasks.reproducing.recorded import Repeatable
from mnist_tasks.reproducing.results import Reproduction
from mnist_tasks.training import run as training_run
from mnist_tasks.training.loop import EpochProgress

OTHER_OUTPUT = "Name another file with --output."


def run(
    repeatable: Repeatable,
    *,
    training: LabeledImages,
    test: Callable[[], LabeledImages],
    progress: EpochProgress,
    output: Path | None = None,
) -> Reproduction:
    """Train again what a record says, and compare the result with it.

    Parameters
    ----------
    training, test
        All training images, and what returns the test images, if they are needed.
    output
        Where to keep the model.

    Raises
    ------
    InputRefusedError
        The images are not those of the record, it can't be trained, or the user's network fails.
    EnvironmentProblemError
        TensorFlow or the device is missing, or a file can't be written.
    """
    record = repeatable.record
    require_same_data(record, training)
    with temporary.folder() as folder:
        path = folder / repeatable.config.output.name
        try:
            found = training_run.train(
                replace(repeatable.config, output=path),
                lambda: training,
                network=repeatable.network,
                progress=progress,
            )
        except UsageError as error:
            if repeatable.network is not None:
                raise
            raise recorded.invalid(repeatable.source, error) from error
        if output is not None:
            with disk.writable(output.parent, remedy=OTHER_OUTPUT):
                disk.write(output, path.read_bytes())
        differ = differences.between(record, found, repeatable.removed)
        same = results.same(record, found)
        accuracies = None
        if not same:
            from mnist_tasks.training import saving  # which needs TensorFlow

            predict = partial(saving.predict, path)
            accuracies = comparable(record, found, training=training, test=test, predict=predict)
    status = same or results.decide(differ, accuracies)
    return Reproduction(
        run=record.id,
        recipe=str(record.recipe["name"]),
        seed=repeatable.config.seed,
        status=status,
        reproduced=status in results.REPRODUCED,
        reason=results.reason(status, record, found, differ, accuracies),
        recorded_sha256=record.model.sha256,
        sha256=found.model.sha256,
        differences=differ,
        accuracies=accuracies,
        recorded_loss=record.epochs[-1].loss,
        loss=found.epochs[-1].loss,
        machine=found.machine,
        seconds=round(sum(found.seconds.values()), 3),
        output=None if output is None else str(output),
    )


def require_same_data(record: RunRecord, data: LabeledImages) -> None:
    """Refuse images that are not those of a record, which may lack their hashes."""
    for name, expected in record.data.items():
        if (found := data.sha256.get(name)) != expected:
            raise InputRefusedError(
                f"{name} of the data set {data.info.title}",
                expected=f"the file that the run was trained on, SHA-256 {expected}",
                found=f"SHA-256 {found}" if found else "no such file",
                remedy="Name the folder of the recorded files with --data-dir.",
                reason="data-changed",
            )
