"""Hold every model of a sweep to a contract, as `mnist-tasks check` would."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import msgspec

from mnist_tasks import run_store
from mnist_tasks.checking.checker import Checker
from mnist_tasks.errors import InputRefusedError
from mnist_tasks.sweeping import false_alarms, plan, ranking
from mnist_tasks.sweeping.false_alarms import Calibrations
from mnist_tasks.sweeping.sweep import SUMMARY_NAME

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mnist_tasks.checking.contract_file import LoadedContract
    from mnist_tasks.data.datasets import Split
    from mnist_tasks.data.store import LabeledImages
    from mnist_tasks.records import Check, RunRecord
    from mnist_tasks.verdict import Verdict

NEEDED = "the records of one sweep, all judged by the same images"
A_FOLDER = "Run `mnist-tasks sweep` into a folder of its own, and name that."
AGAIN = "Begin the sweep again: it trains what is not whole."


@dataclass(frozen=True, kw_only=True)
class _Planned:
    """What is read here of a sweep's summary."""

    runs: int


class Progress(Protocol):
    """What is told while models are checked."""

    def begin(self, models: int) -> None:
        """Say how many models there are."""

    def advance(self) -> None:
        """Say that one more is checked."""


def calibrate(
    folder: Path,
    terms: LoadedContract,
    load_digits: Callable[[Split], LabeledImages],
    *,
    wanted: float,
    workers: int,
    progress: Progress,
) -> Calibrations:
    """Check the model of every run of a sweep, and count false alarms setting by setting.

    Each model is judged by the images that the sweep judged it by.

    Parameters
    ----------
    wanted
        The rate of false alarms for which bounds are suggested, in (0, 0.5).
    workers
        How many models are checked at once.

    Raises
    ------
    InputRefusedError
        The folder has no records of a sweep, or a model is not the one that its run has left.
    EnvironmentProblemError
        TensorFlow is missing, or a model ran out of its time or memory.
    """
    records, evaluated_on = _of_sweep(folder)
    digits = load_digits("test" if evaluated_on == "test" else "train")
    if evaluated_on != "test":
        digits = digits.last(plan.validation_images())
    checker = Checker(contract=terms.contract, digits=digits, source=terms.source)
    _ = checker.baseline, checker.image_sets  # made once, before the threads ask for them
    progress.begin(len(records))

    def check(record: RunRecord) -> Verdict:
        verdict = _check(checker, folder, record)
        progress.advance()
        return verdict

    with ThreadPoolExecutor(workers) as pool:
        by_id = dict(zip((record.id for record in records), pool.map(check, records), strict=True))
    return Calibrations(
        folder=str(folder),
        evaluated_on=evaluated_on,
        images=len(digits.labels),
        wanted=wanted,
        contract=terms.source,
        left_out=_left_out(folder, len(records)),
        settings=tuple(
            false_alarms.calibrate(
                setting.name,
                [by_id[run.id] for run in runs],
                wanted=wanted,
                is_sure=terms.contract.confidence is not None,
            )
            for setting, runs in ranking.by_setting(records).items()
        ),
    )


def _of_sweep(folder: Path) -> tuple[list[RunRecord], str]:
    """Return the runs of a sweep, and what they were judged by."""
    there = run_store.read_all(folder, remedy=A_FOLDER)
    records = [record for record in there.records if record.trial]
    judges = {record.trial.evaluated_on for record in records if record.trial}
    if there.skipped:
        found = "; ".join(there.skipped)
    elif not records:
        found = "none"
    elif len(judges) > 1:
        found = "some judged by held-out images, some by test images"
    elif unlike := _unlike(records):
        found = f"runs of {unlike} that differ in more than their seeds"
    else:
        return records, judges.pop()
    raise InputRefusedError(
        str(folder),
        expected=NEEDED,
        found=found,
        remedy=AGAIN if there.skipped else A_FOLDER,
    )


def _unlike(records: list[RunRecord]) -> str | None:
    """Return a setting whose runs come from several sweeps: with another limit, other threads."""
    for setting, runs in ranking.by_setting(records).items():
        # All that decides a result is in the id, before the seed.
        if len({run.id.rpartition("-")[0] for run in runs}) > 1:
            return setting.name
    return None


def _left_out(folder: Path, there: int) -> int | None:
    """Return how many runs of a sweep have no record; ``None`` where that was not finished."""
    try:
        summary = msgspec.json.decode((folder / SUMMARY_NAME).read_bytes(), type=_Planned)
    except (OSError, msgspec.DecodeError):
        return None
    return max(0, summary.runs - there)


def _check(checker: Checker, folder: Path, record: RunRecord) -> Verdict:
    path = folder / record.id / plan.MODEL_NAME
    try:
        checked, _ = checker.check(path)
        check: Check | None = checked
        found = "another one"
    except InputRefusedError as error:
        check, found = None, error.found
    if check is not None and check.model.sha256 == record.model.sha256:
        return check.verdict
    raise InputRefusedError(
        str(path),
        expected=f"the model that its run has left, SHA-256 {record.model.sha256}",
        found=found,
        remedy=AGAIN,
    )
