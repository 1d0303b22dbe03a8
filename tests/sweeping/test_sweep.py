"""A sweep over an engine of the test's own: what is kept, what is run, what is written."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from mnist_tasks import disk, run_store
from mnist_tasks.errors import EnvironmentProblemError, Failure
from mnist_tasks.sweeping import sweep
from mnist_tasks.sweeping.events import Began, Ended, Lost
from mnist_tasks.sweeping.plan import Plan
from tests.sweeping import runs

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from mnist_tasks.records import RunRecord
    from mnist_tasks.sweeping.events import Event
    from mnist_tasks.sweeping.plan import Job

PLAN = Plan(seeds=(0, 1, 2, 3))


class Heard:
    """A progress that remembers what it was told."""

    def __init__(self) -> None:
        self.before = 0
        self.told: list[str] = []

    def begin(self, jobs: Sequence[Job], done: Sequence[RunRecord]) -> None:
        self.before = len(done)

    def began(self, job: Job) -> None:
        self.told.append(f"began {job.config.seed}")

    def lost(self, job: Job, reason: str) -> None:
        self.told.append(f"lost {job.config.seed}: {reason}")

    def ended(self, job: Job, outcome: RunRecord | Failure) -> None:
        how = "failed" if isinstance(outcome, Failure) else "done"
        self.told.append(f"{how} {job.config.seed}")


class Engine:
    """Says of every run that it is done, and of some that they failed or were lost at first."""

    def __init__(self, *, failing: int | None = None, stop_after: int | None = None) -> None:
        self.failing = failing
        self.stop_after = stop_after
        self.given: list[int] = []
        self.work: Path | None = None
        self.was_closed = False

    def __call__(self, jobs: Sequence[Job], folder: Path) -> Generator[Event]:
        self.work = folder
        assert folder.is_dir()
        try:
            for number, job in enumerate(jobs):
                if number == self.stop_after:
                    raise KeyboardInterrupt
                self.given.append(job.config.seed)
                yield Began(job=job)
                if job.config.seed == 2:
                    yield Lost(job=job, reason="it died")
                failed = job.config.seed == self.failing
                yield Ended(job=job, outcome=runs.FAILED if failed else runs.result(job))
        finally:
            self.was_closed = True


def test_every_run_has_its_record_and_its_model(tmp_path: Path) -> None:
    engine, heard = Engine(), Heard()
    result = sweep.run(PLAN, tmp_path / "s", engine, progress=heard)
    assert (result.runs, result.done, result.kept, result.exit_code) == (4, 4, 0, 0)
    found = run_store.read_all(tmp_path / "s")
    assert [record.seed for record in found.records] == [0, 1, 2, 3]
    assert found.skipped == ()
    for record in found.records:
        assert (tmp_path / "s" / record.id / "model.h5").read_bytes() == runs.MODEL
    assert json.loads((tmp_path / "s" / "sweep.json").read_bytes())["ranking"][0]["runs"] == 4
    assert heard.told[:2] == ["began 0", "done 0"]
    assert heard.told[4:7] == ["began 2", "lost 2: it died", "done 2"]
    assert engine.work is not None
    assert not engine.work.exists()


def test_what_is_done_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        sweep.run(PLAN, tmp_path, Engine(stop_after=2), progress=Heard())
    assert not (tmp_path / "sweep.json").exists()
    engine, heard = Engine(), Heard()
    result = sweep.run(PLAN, tmp_path, engine, progress=heard)
    assert engine.given == [2, 3]
    assert heard.before == 2
    assert (result.done, result.kept) == (4, 2)


@pytest.mark.parametrize(
    "damage", ["record cut", "record gone", "model gone", "model changed", "pipe", "settings"]
)
def test_what_is_not_whole_is_run_again(tmp_path: Path, damage: str) -> None:
    sweep.run(PLAN, tmp_path, Engine(), progress=Heard())
    folder = tmp_path / PLAN.jobs(tmp_path)[1].id
    if damage == "record cut":
        path = folder / "run.json"
        path.write_bytes(path.read_bytes()[:100])
    elif damage == "record gone":
        (folder / "run.json").unlink()
    elif damage == "model gone":
        (folder / "model.h5").unlink()
    elif damage == "model changed":
        (folder / "model.h5").write_bytes(b"another")
    elif damage == "pipe":  # to read one is to wait for ever
        (folder / "model.h5").unlink()
        os.mkfifo(folder / "model.h5")
    else:
        record = run_store.read(folder / "run.json")
        assert record.trial is not None
        edited = replace(record.trial, settings={"max_shift": 3})
        run_store.save(replace(record, trial=edited), tmp_path)
    engine = Engine()
    assert sweep.run(PLAN, tmp_path, engine, progress=Heard()).done == 4
    assert engine.given == [1]


def test_a_run_that_fails_is_named_and_tried_again_with_the_next_sweep(tmp_path: Path) -> None:
    heard = Heard()
    result = sweep.run(PLAN, tmp_path, Engine(failing=1), progress=heard)
    assert (result.done, result.exit_code) == (3, 4)
    (failed,) = result.failed
    assert (failed.seed, failed.failure.found) == (1, "it failed")
    assert "failed 1" in heard.told
    engine = Engine()
    assert sweep.run(PLAN, tmp_path, engine, progress=Heard()).exit_code == 0
    assert engine.given == [1]


def test_other_runs_in_the_folder_are_left_alone_and_out(tmp_path: Path) -> None:
    sweep.run(PLAN, tmp_path, Engine(), progress=Heard())
    more = Plan(seeds=(3, 4))
    engine = Engine()
    result = sweep.run(more, tmp_path, engine, progress=Heard())
    assert engine.given == [4]
    assert (result.runs, result.ranking[0].runs) == (2, 2)
    assert len(run_store.read_all(tmp_path).records) == 5


def test_the_engine_is_closed_when_a_record_cant_be_written(tmp_path: Path) -> None:
    job = PLAN.jobs(tmp_path)[0]
    (tmp_path / job.id).write_text("in the way")
    engine = Engine()
    with pytest.raises(EnvironmentProblemError) as caught:
        sweep.run(PLAN, tmp_path, engine, progress=Heard())
    assert "--output" in str(caught.value.remedy)
    assert engine.was_closed


def test_a_record_that_cant_be_written_names_the_option_of_a_sweep(tmp_path: Path) -> None:
    (tmp_path / PLAN.jobs(tmp_path)[0].id / "run.json").mkdir(parents=True)
    with pytest.raises(EnvironmentProblemError) as caught:
        sweep.run(PLAN, tmp_path, Engine(), progress=Heard())
    assert "--output" in str(caught.value.remedy)


def test_what_goes_wrong_in_an_engine_is_not_blamed_on_the_folder(tmp_path: Path) -> None:
    def engine(_: object, __: object) -> Generator[Event]:
        raise ConnectionError("it is gone")
        yield  # which makes it a generator

    with pytest.raises(ConnectionError, match="it is gone"):
        sweep.run(PLAN, tmp_path, engine, progress=Heard())
    assert {path.name for path in tmp_path.iterdir()} <= {".lock"}


def test_what_is_half_written_lies_where_the_next_sweep_removes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved: list[Path] = []
    real = disk.move_in_place

    def look(source: Path, target: Path) -> None:
        moved.append(source)
        real(source, target)

    monkeypatch.setattr(disk, "move_in_place", look)
    engine = Engine()
    sweep.run(PLAN, tmp_path, engine, progress=Heard())
    assert len(moved) == 9  # four models, four records and the summary
    assert {path.parent for path in moved} == {engine.work}


def test_two_sweeps_dont_share_a_folder(tmp_path: Path) -> None:
    refused = []

    def engine(jobs: Sequence[Job], folder: Path) -> Generator[Event]:
        with pytest.raises(EnvironmentProblemError) as caught:
            sweep.run(PLAN, tmp_path, Engine(), progress=Heard())
        refused.append(caught.value)
        yield from Engine()(jobs, folder)

    sweep.run(PLAN, tmp_path, engine, progress=Heard())
    assert "another process has held the folder" in refused[0].found


def test_what_a_killed_sweep_left_is_removed(tmp_path: Path) -> None:
    for name in (".mnist-tasks-sweep-1234", ".work-of-others"):
        (tmp_path / name / "inner").mkdir(parents=True)
    sweep.run(PLAN, tmp_path, Engine(), progress=Heard())
    assert {path.name for path in tmp_path.glob(".*")} - {".lock"} == {".work-of-others"}
