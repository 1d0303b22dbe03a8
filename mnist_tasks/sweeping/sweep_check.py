"""Check every model of a sweep against a contract, as `mnist-tasks check` does."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from functools import partial
from pathlib import Path

from mnist_tasks.checking.checker import Checker
from mnist_tasks.checking.contract_file import LoadedContract
from mnist_tasks.data import loading
from mnist_tasks.data.download import Progress
from mnist_tasks.data.loading import DataConfig
from mnist_tasks.errors import InputRefusedError, UsageError
from mnist_tasks.records import RunRecord
from mnist_tasks.sweeping import false_alarms, plan, ranking, stored_sweep
from mnist_tasks.sweeping.false_alarms import FalseAlarmReport
from mnist_tasks.sweeping.stored_sweep import RERUN
from mnist_tasks.verdict import Verdict


def estimate(
    folder: Path,
    terms: LoadedContract,
    data: DataConfig,
    *,
    target_rate: float,
    progress: Callable[[int, int], object],
    download: AbstractContextManager[Progress],
) -> FalseAlarmReport:
    """Check the model of every run of a sweep, and count false alarms for each setting.

    The models are checked on the images that the sweep evaluated them on, several at once.

    Parameters
    ----------
    target_rate
        False-alarm rate for which bounds are suggested, in (0, 0.5).
    progress
        Called with the number of models checked and their total.
    download
        Receives the progress of a download; entered only if there is one.

    Raises
    ------
    UsageError
        `target_rate` is out of range.
    InputRefusedError
        The folder contains no sweep, or a model is missing or not the one that its run saved.
    EnvironmentProblemError
        TensorFlow is missing, or a model exceeded its time or memory limit.
    """
    if not 0 < target_rate < 0.5:
        raise UsageError("--rate", expected="a rate above 0, below 0.5", found=str(target_rate))
    swept = stored_sweep.read(folder)
    if swept.skipped:
        raise stored_sweep.refused(folder, "; ".join(swept.skipped), RERUN)
    if not swept.records:
        raise stored_sweep.refused(folder, "only runs that failed", RERUN)
    records, evaluated_on = swept.records, swept.evaluated_on
    if evaluated_on == "test":
        images = loading.load("test", data, progress=download)
    else:
        images = loading.load("train", data, progress=download)
        images = images.last(plan.validation_images(data.dataset))
    checker = Checker(contract=terms.contract, data=images, source=terms.source)
    check = partial(_check, checker, folder)
    with closing(checker.in_order(check, records, progress=progress)) as checks:
        verdicts = {record.id: verdict for record, verdict in zip(records, checks, strict=True)}
    return FalseAlarmReport(
        folder=str(folder),
        evaluated_on=evaluated_on,
        images=len(images.labels),
        target_rate=target_rate,
        contract=terms.source,
        missing_runs=swept.missing,
        settings=tuple(
            false_alarms.count(
                setting.name,
                [verdicts[run.id] for run in runs],
                target_rate=target_rate,
                uses_interval=terms.contract.confidence is not None,
            )
            for setting, runs in ranking.by_setting(records).items()
        ),
    )


def _check(checker: Checker, folder: Path, record: RunRecord) -> Verdict:
    path = folder / record.id / plan.MODEL_NAME
    try:
        check, _ = checker.check(path)
    except InputRefusedError as error:
        found = error.found
    else:
        if check.model.sha256 == record.model.sha256:
            return check.verdict
        found = "another model"
    raise InputRefusedError(
        str(path),
        expected=f"the model that its run saved, SHA-256 {record.model.sha256}",
        found=found,
        remedy=RERUN,
    )
