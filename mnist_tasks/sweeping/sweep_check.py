"""Check every model of a sweep against a contract, as `mnist-tasks check` does."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from functools import partial
from pathlib import Path

import msgspec

from mnist_tasks import disk, run_store
from mnist_tasks.checking.checker import Checker
from mnist_tasks.checking.contract_file import LoadedContract
from mnist_tasks.data import loading
from mnist_tasks.data.download import Progress
from mnist_tasks.data.loading import DataConfig
from mnist_tasks.errors import InputRefusedError, UsageError
from mnist_tasks.records import RunRecord
from mnist_tasks.sweeping import false_alarms, plan, ranking
from mnist_tasks.sweeping.false_alarms import FalseAlarmReport
from mnist_tasks.sweeping.sweep import SUMMARY_NAME
from mnist_tasks.verdict import Verdict

NAME_A_SWEEP = "Run `mnist-tasks sweep` with a new --output folder, and name that folder."
RERUN = "Rerun the sweep: it repeats only runs whose record or model is missing or damaged."


class _Summary(msgspec.Struct):
    """The part of a sweep's summary that is read here."""

    runs: int


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
    records, evaluated_on = _read_sweep(folder)
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
        missing_runs=_missing_runs(folder, len(records)),
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


def _read_sweep(folder: Path) -> tuple[list[RunRecord], str]:
    """Return the runs of a sweep, and which images they were evaluated on."""
    stored = run_store.read_all(folder, remedy=NAME_A_SWEEP)
    records = [record for record in stored.records if record.trial]
    evaluated_on = {record.trial.evaluated_on for record in records if record.trial}
    if stored.skipped:
        found = "; ".join(stored.skipped)
    elif not records:
        found = "none" if folder.is_dir() else "no such folder"
    elif len(evaluated_on) > 1:
        found = "runs evaluated on validation images and runs evaluated on test images"
    elif mixed := _mixed_setting(records):
        found = f"runs of {mixed} that differ in more than their seeds"
    else:
        return records, evaluated_on.pop()
    raise InputRefusedError(
        str(folder),
        expected="the records of one sweep, all evaluated on the same images",
        found=found,
        remedy=RERUN if stored.skipped else NAME_A_SWEEP,
    )


def _mixed_setting(records: list[RunRecord]) -> str | None:
    """Return a setting with runs of several sweeps, such as with another limit or more threads."""
    for setting, runs in ranking.by_setting(records).items():
        first, *others = map(_all_but_the_seed, runs)
        if any(other != first for other in others):
            return setting.name
    return None


def _all_but_the_seed(run: RunRecord) -> object:
    """Return what decides a run's result apart from its seed, for comparison with other runs."""
    if run.trial and run.trial.digest:
        return run.trial.digest
    # A record of a version that did not write the digest.
    return run.recipe, run.limit, run.machine.device, run.machine.threads


def _missing_runs(folder: Path, found: int) -> int | None:
    """Return how many runs of a sweep have no record; ``None`` if the sweep is unfinished."""
    try:
        summary = msgspec.json.decode(disk.read_regular(folder / SUMMARY_NAME), type=_Summary)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return max(0, summary.runs - found)


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
