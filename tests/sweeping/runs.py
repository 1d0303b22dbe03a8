"""Runs of a sweep as executors return them."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from mnist_tasks.check_records import Metrics
from mnist_tasks.errors import Failure
from mnist_tasks.records import Trial
from mnist_tasks.sweeping import sweep
from mnist_tasks.sweeping.events import Finished
from mnist_tasks.sweeping.job import Failed, Result
from tests import examples

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from pathlib import Path

    from mnist_tasks.records import RunRecord
    from mnist_tasks.sweeping.events import Event
    from mnist_tasks.sweeping.plan import Job, Plan
    from mnist_tasks.sweeping.summary import Sweep

MODEL = b"a model"
FAILED = Failed(failure=Failure(title="A title", subject="it", found="it failed"), exit_code=4)


def metrics(correct: int, images: int = 1000) -> Metrics:
    rows = [[0] * 10 for _ in range(10)]
    rows[0][0], rows[0][1] = correct, images - correct
    return Metrics(confusion=tuple(map(tuple, rows)), loss=0.1)


def record(job: Job, correct: int = 900) -> RunRecord:
    run = examples.run(1)
    return replace(
        run,
        id=job.id,
        seed=job.config.seed,
        recipe={"name": job.setting.recipe},
        model=replace(
            run.model, path=str(job.config.output), sha256=hashlib.sha256(MODEL).hexdigest()
        ),
        trial=Trial(
            settings=dict(job.setting.values),
            evaluated_on=job.evaluated_on,
            metrics=metrics(correct),
            worker="here:1",
            attempts=1,
            digest=job.digest,
        ),
    )


def result(job: Job, correct: int = 900) -> Result:
    return Result(record=record(job, correct), model=MODEL)


def save(
    plan: Plan,
    folder: Path,
    *,
    correct: Callable[[Job], int] = lambda _: 900,
    fails: Callable[[Job], bool] = lambda _: False,
) -> Sweep:
    """Run a sweep whose runs are made up, and return its outcome."""

    def execute(jobs: Sequence[Job], _: Path) -> Generator[Event]:
        for job in jobs:
            yield Finished(job=job, outcome=FAILED if fails(job) else result(job, correct(job)))

    return sweep.run(plan, folder, execute, progress=Quiet())


class Quiet:
    """A progress that shows nothing."""

    def begin(self, jobs: Sequence[Job], finished: Sequence[RunRecord]) -> None:
        pass

    def advance(self, event: Event) -> None:
        pass
