"""One run of a sweep, on any machine: train, evaluate, return the record and the model."""

from __future__ import annotations

import os
import socket
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from mnist_tasks import errors, resource_limits, temporary
from mnist_tasks.checking import metrics
from mnist_tasks.data import store
from mnist_tasks.data.loading import DataConfig
from mnist_tasks.data.store import LabeledImages
from mnist_tasks.errors import Failure, MnistTasksError, printable
from mnist_tasks.records import RunRecord, Trial
from mnist_tasks.sweeping import plan
from mnist_tasks.sweeping.plan import Job
from mnist_tasks.training import run as training_run
from mnist_tasks.training.saving import predict


@dataclass(frozen=True, kw_only=True)
class Images:
    """The images that the runs of a sweep train on and are evaluated on."""

    training: LabeledImages
    evaluation: LabeledImages


@dataclass(frozen=True, kw_only=True)
class Result:
    """The record of a run that succeeded, and the content of its model file."""

    record: RunRecord
    model: bytes


@dataclass(frozen=True, kw_only=True)
class Failed:
    """Why a run failed, and the exit code that `mnist-tasks train` would have had."""

    failure: Failure
    exit_code: int


def load_images(data: DataConfig, evaluated_on: Literal["validation", "test"]) -> Images:
    """Memory-map the images of a sweep after verifying their files.

    Raises
    ------
    InputRefusedError
        A file is missing or has the wrong SHA-256.
    """
    folder, dataset = data.files_folder, data.dataset
    training = store.load(folder, "train", dataset)
    if evaluated_on == "test":
        return Images(training=training, evaluation=store.load(folder, "test", dataset))
    return Images(training=training, evaluation=training.last(plan.validation_images(dataset)))


def loaded(load: Callable[[], Images]) -> Images | Failed:
    """Load the images of a sweep; return an error of the user's instead of raising it."""
    try:
        return load()
    except MnistTasksError as error:
        return Failed(failure=Failure.of(error), exit_code=error.exit_code)


def run(job: Job, images: Images, attempt: int) -> Result | Failed:
    """Train and evaluate a model; return any error instead of raising it.

    Parameters
    ----------
    attempt
        Number of this attempt at the job, from 1.
    """
    try:
        return _run(job, images, attempt)
    except MnistTasksError as error:
        return Failed(failure=Failure.of(error), exit_code=error.exit_code)
    except Exception as error:
        if limited := resource_limits.exhausted(error):
            return Failed(failure=Failure.of(limited), exit_code=limited.exit_code)
        frame = traceback.extract_tb(error.__traceback__)[-1]
        return Failed(
            failure=Failure(
                title="Bug",
                reason="internal-error",
                subject=job.id,
                found=printable(f"{type(error).__name__} in {frame.name}: {error}", limit=1000),
                remedy=f"Please report it with the output of `{training_run.command(job.config)}`.",
            ),
            exit_code=errors.BUG,
        )


def _run(job: Job, images: Images, attempt: int) -> Result:
    with temporary.folder() as work:
        path = work / job.config.output.name
        record = training_run.train(
            replace(job.config, output=path), lambda: images.training, network=job.network
        )
        probabilities = predict(path, images.evaluation.images)
        model = path.read_bytes()
    trial = Trial(
        settings=dict(job.setting.values),
        evaluated_on=job.evaluated_on,
        metrics=metrics.compute(probabilities, images.evaluation.labels),
        worker=f"{socket.gethostname()}:{os.getpid()}",
        attempts=attempt,
        digest=job.digest,
    )
    record = replace(
        record,
        id=job.id,
        command=training_run.command(job.config),
        model=replace(record.model, path=str(job.config.output)),
        trial=trial,
    )
    return Result(record=record, model=model)
