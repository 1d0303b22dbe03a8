"""Check every model of a sweep against a contract, as `mnist-tasks check` does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from mnist_tasks import disk
from mnist_tasks.checking import decided, metrics
from mnist_tasks.checking.checker import Checker
from mnist_tasks.checking.contract_file import LoadedContract
from mnist_tasks.data import datasets, loading
from mnist_tasks.data.datasets import Dataset
from mnist_tasks.data.download import Progress
from mnist_tasks.data.loading import DataConfig
from mnist_tasks.errors import InputRefusedError, UsageError, printable
from mnist_tasks.records import RunRecord
from mnist_tasks.sweeping import clause_power, false_alarms, plan, ranking, stored_sweep
from mnist_tasks.sweeping.false_alarms import FalseAlarmReport, SettingFalseAlarms
from mnist_tasks.sweeping.slacks import Correct, Evaluated
from mnist_tasks.sweeping.stored_sweep import RERUN
from mnist_tasks.verdict import Verdict

Checked = tuple[Verdict, dict[str, Correct]]


def estimate(
    folder: Path,
    terms: LoadedContract,
    data: DataConfig,
    *,
    dataset: Dataset | None = None,
    target_rate: float,
    progress: Callable[[int, int], object],
    download: AbstractContextManager[Progress],
) -> FalseAlarmReport:
    """Check the model of every run of a sweep: false alarms and detected drops for each setting.

    The models are checked on the images that the sweep evaluated them on, several at once.

    Parameters
    ----------
    dataset
        The data set of the sweep; by default, the one that its records name.
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
        The folder contains no sweep, or one on another data set, or a model is missing, refused
        or not the one that its run saved.
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
    data = replace(data, dataset=dataset or _dataset(records[0], folder))
    for record in records:
        if record.dataset != data.dataset.info:
            found = f"{record.id}, of {printable(record.dataset.name)}"
            raise InputRefusedError(
                str(folder),
                expected=f"runs on {data.dataset.info.title}, with the same images and classes",
                found=found,
                remedy="Name the data set of the sweep with --dataset.",
            )
    if evaluated_on == "test":
        images = loading.load("test", data, progress=download)
    else:
        images = loading.load("train", data, progress=download)
        images = images.last(plan.validation_images(data.dataset))
    checker = Checker(contract=terms.contract, data=images, source=terms.source)
    check = partial(_check, checker, folder)
    with closing(checker.in_order(check, records, progress=progress)) as checks:
        checked = {record.id: each for record, each in zip(records, checks, strict=True)}
    return FalseAlarmReport(
        folder=str(folder),
        evaluated_on=evaluated_on,
        images=len(images.labels),
        target_rate=target_rate,
        contract=terms.source,
        missing_runs=swept.missing,
        settings=tuple(
            _of_setting(setting.name, [checked[run.id] for run in runs], checker, target_rate)
            for setting, runs in ranking.by_setting(records).items()
        ),
        decided=decided.find(checker),
    )


def _dataset(record: RunRecord, folder: Path) -> Dataset:
    """Return the data set of a sweep's run; an error is about the sweep, as nobody named one."""
    try:
        return datasets.find(record.dataset.name)
    except UsageError as error:
        raise error.about(f"the data set of the sweep {printable(str(folder))}") from error


def _of_setting(
    name: str, runs: Sequence[Checked], gate: Checker, target_rate: float
) -> SettingFalseAlarms:
    """Count the false alarms of the runs of a setting, and say what drops are detected."""
    verdicts = [verdict for verdict, _ in runs]
    counted = false_alarms.count(
        name,
        verdicts,
        target_rate=target_rate,
        uses_interval=gate.contract.confidence is not None,
    )
    if not all(correct.keys() == gate.image_sets.keys() for _, correct in runs):
        return counted  # a model without predictions
    labels, baseline = gate.data.labels, gate.baseline
    evaluated = Evaluated(
        labels=labels,
        correct={
            each: np.stack([correct[each] for _, correct in runs]) for each in gate.image_sets
        },
        baseline=None if baseline is None else metrics.is_correct(baseline, labels),
    )
    suggested = {
        each.name: each.suggested for each in counted.clauses if each.suggested is not None
    }
    detected = clause_power.estimate(gate.contract, evaluated, suggested, target_rate=target_rate)
    return replace(counted, detected=detected)


def _check(checker: Checker, folder: Path, record: RunRecord) -> Checked:
    """Return a model's verdict, and which images of each set it classified correctly."""
    path = folder / record.id / plan.MODEL_NAME
    try:
        check, predicted = checker.check_all_sets(path)
    except InputRefusedError as error:
        if _has_hash(path, record.model.sha256):  # refused for what it is: a rerun makes it again
            raise
        found = error.found
    else:
        if check.model.sha256 == record.model.sha256:
            labels = checker.data.labels
            correct = {name: metrics.is_correct(each, labels) for name, each in predicted.items()}
            return check.verdict, correct
        found = "another model"
    raise InputRefusedError(
        str(path),
        expected=f"the model that its run saved, SHA-256 {record.model.sha256}",
        found=found,
        remedy=RERUN,
    )


def _has_hash(path: Path, sha256: str) -> bool:
    try:
        return disk.sha256(path) == sha256
    except OSError:
        return False
