"""Which folders are checked for false alarms: those of one complete sweep."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from mnist_tasks import run_store
from mnist_tasks.checking import contract_file
from mnist_tasks.data.loading import DataConfig
from mnist_tasks.errors import EnvironmentProblemError, InputRefusedError, UsageError
from mnist_tasks.reporting.terminal.progress import CountProgress, DownloadProgress
from mnist_tasks.sweeping import sweep_check
from mnist_tasks.sweeping.plan import Plan
from tests.sweeping import runs

if TYPE_CHECKING:
    from pathlib import Path

    from mnist_tasks.records import RunRecord


def estimate(folder: Path, rate: float = 0.1) -> None:
    sweep_check.estimate(
        folder,
        contract_file.load(None),
        DataConfig(folder=folder / "empty", offline=True),
        target_rate=rate,
        processes=1,
        progress=CountProgress("x"),
        download=DownloadProgress(),
    )


def refusal(folder: Path) -> InputRefusedError:
    with pytest.raises(InputRefusedError) as caught:
        estimate(folder)
    return caught.value


def save(plan: Plan, folder: Path, *, has_digest: bool = True) -> list[Path]:
    records = [runs.record(job) for job in plan.jobs(folder)]
    if not has_digest:
        records = [_without_digest(each, plan) for each in records]
    return [run_store.save(each, folder) for each in records]


def _without_digest(record: RunRecord, plan: Plan) -> RunRecord:
    """Return a record as a version before the digest wrote it."""
    assert record.trial is not None
    return replace(
        record,
        limit=plan.limit,
        machine=replace(record.machine, threads=plan.threads),
        trial=replace(record.trial, digest=""),
    )


@pytest.mark.parametrize("has_digest", [True, False])
@pytest.mark.parametrize("other", [Plan(limit=600), Plan(threads=2)], ids=["limit", "threads"])
def test_runs_that_differ_in_more_than_their_seeds_are_refused(
    tmp_path: Path, other: Plan, has_digest: bool
) -> None:
    save(Plan(), tmp_path, has_digest=has_digest)
    save(other, tmp_path, has_digest=has_digest)
    error = refusal(tmp_path)
    assert error.found == "runs of default that differ in more than their seeds"
    assert "a new --output folder" in str(error.remedy)


def test_runs_evaluated_on_different_images_are_refused(tmp_path: Path) -> None:
    save(Plan(), tmp_path)
    save(Plan(evaluated_on="test"), tmp_path)
    assert "runs evaluated on test images" in refusal(tmp_path).found


def test_a_damaged_record_is_reported(tmp_path: Path) -> None:
    path = save(Plan(), tmp_path)[1]
    path.write_text("{")
    error = refusal(tmp_path)
    assert str(path) in error.found
    assert "Rerun the sweep" in str(error.remedy)


def test_the_error_for_a_file_has_a_remedy(tmp_path: Path) -> None:
    path = save(Plan(), tmp_path)[0]
    assert "mnist-tasks sweep" in str(refusal(path).remedy)


def test_old_records_without_a_digest_that_differ_in_their_seeds_are_one_setting(
    tmp_path: Path,
) -> None:
    save(Plan(), tmp_path, has_digest=False)
    # The folder itself is not refused; only then are the images loaded.
    with pytest.raises(EnvironmentProblemError, match="train-images"):
        estimate(tmp_path)


@pytest.mark.parametrize("rate", [0.0, -0.1, 0.5, 1.0, float("nan")])
def test_an_invalid_rate_is_refused(tmp_path: Path, rate: float) -> None:
    with pytest.raises(UsageError, match="--rate"):
        estimate(tmp_path, rate)
