"""Which folders are calibrated: those of one sweep, whole, whose runs differ in their seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mnist_tasks import run_store
from mnist_tasks.checking import contract_file
from mnist_tasks.errors import InputRefusedError
from mnist_tasks.reporting.terminal.progress import CountProgress
from mnist_tasks.sweeping import sweep_check
from mnist_tasks.sweeping.plan import Plan
from tests.sweeping import runs

if TYPE_CHECKING:
    from pathlib import Path


def refusal(folder: Path) -> InputRefusedError:
    def no_digits(_: object) -> Any:
        pytest.fail("what is refused needs no images")

    with pytest.raises(InputRefusedError) as caught:
        sweep_check.calibrate(
            folder,
            contract_file.load(None),
            no_digits,
            wanted=0.1,
            workers=1,
            progress=CountProgress("x"),
        )
    return caught.value


def save(plan: Plan, folder: Path) -> list[Path]:
    return [run_store.save(runs.record(job), folder) for job in plan.jobs(folder)]


@pytest.mark.parametrize("other", [Plan(limit=600), Plan(threads=2)], ids=["limit", "threads"])
def test_runs_that_differ_in_more_than_their_seeds_are_not_one_setting(
    tmp_path: Path, other: Plan
) -> None:
    save(Plan(), tmp_path)
    save(other, tmp_path)
    error = refusal(tmp_path)
    assert error.found == "runs of default that differ in more than their seeds"
    assert "a folder of its own" in str(error.remedy)


def test_runs_that_other_images_judge_are_not_put_together(tmp_path: Path) -> None:
    save(Plan(), tmp_path)
    save(Plan(evaluated_on="test"), tmp_path)
    assert "some by test images" in refusal(tmp_path).found


def test_a_record_that_is_not_whole_is_named(tmp_path: Path) -> None:
    path = save(Plan(), tmp_path)[1]
    path.write_text("{")
    error = refusal(tmp_path)
    assert str(path) in error.found
    assert "again" in str(error.remedy)


def test_what_is_no_folder_is_refused_with_what_to_do_here(tmp_path: Path) -> None:
    path = save(Plan(), tmp_path)[0]
    assert "mnist-tasks sweep" in str(refusal(path).remedy)
