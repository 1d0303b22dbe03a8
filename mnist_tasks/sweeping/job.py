"""One run of a sweep, wherever it takes place: trained, asked, and sent back whole."""

from __future__ import annotations

import os
import socket
import tempfile
import traceback
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mnist_tasks import errors
from mnist_tasks.checking import metrics
from mnist_tasks.data import store
from mnist_tasks.errors import Failure, MnistTasksError, printable
from mnist_tasks.records import RunRecord, Trial
from mnist_tasks.sweeping import plan
from mnist_tasks.training import run
from mnist_tasks.training.predict import predict

if TYPE_CHECKING:
    from typing import Literal

    from mnist_tasks.data.store import LabeledImages
    from mnist_tasks.sweeping.plan import Job


@dataclass(frozen=True, kw_only=True)
class Images:
    """What a sweep trains on, and what it judges by."""

    training: LabeledImages
    judged: LabeledImages


@dataclass(frozen=True, kw_only=True)
class Result:
    """A run that is done: its record, and the content of its model file."""

    record: RunRecord
    model: bytes


@dataclass(frozen=True, kw_only=True)
class Failed:
    """A run that could not be done, why, and the exit code that a single run would have had."""

    failure: Failure
    exit_code: int


def load(folder: Path, evaluated_on: Literal["validation", "test"]) -> Images:
    """Map the images of a sweep into memory, after vetting their files.

    Raises
    ------
    InputRefusedError
        A file is missing or is not the one that it should be.
    """
    training = store.load(folder, "train")
    if evaluated_on == "test":
        return Images(training=training, judged=store.load(folder, "test"))
    return Images(training=training, judged=training.last(plan.validation_images()))


def attempt(job: Job, images: Images, number: int) -> Result | Failed:
    """Train and judge a run; what goes wrong in it is its result.

    Parameters
    ----------
    number
        Which attempt this is, from 1.
    """
    try:
        return _run(job, images, number)
    except MnistTasksError as error:
        return Failed(failure=Failure.of(error), exit_code=error.exit_code)
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        return Failed(
            failure=Failure(
                title="A bug",
                subject=job.id,
                found=printable(f"{type(error).__name__} in {frame.name}: {error}", limit=1000),
                remedy=f"Please report it, with what `{run.command(job.config)}` says.",
            ),
            exit_code=errors.BUG,
        )


def _run(job: Job, images: Images, number: int) -> Result:
    with tempfile.TemporaryDirectory(prefix="mnist-tasks-") as work:
        path = Path(work) / job.config.output.name
        record = run.train(replace(job.config, output=path), lambda: images.training)
        measured = metrics.compute(predict(path, images.judged.images), images.judged.labels)
        model = path.read_bytes()
    trial = Trial(
        settings=dict(job.setting.values),
        evaluated_on=job.evaluated_on,
        metrics=measured,
        worker=f"{socket.gethostname()}:{os.getpid()}",
        attempts=number,
    )
    return Result(
        record=replace(
            record,
            id=job.id,
            command=run.command(job.config),
            model=replace(record.model, path=str(job.config.output)),
            trial=trial,
        ),
        model=model,
    )
