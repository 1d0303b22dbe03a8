"""A sweep with a fake executor: what is kept, what is run, what is written."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from mnist_tasks import disk, run_store, temporary
from mnist_tasks.code_records import NetworkSource
from mnist_tasks.errors import EnvironmentProblemError, UsageError
from mnist_tasks.sweeping import stored_sweep, sweep
from mnist_tasks.sweeping.events import Finished, Started, WorkerLost
from mnist_tasks.sweeping.job import Failed
from mnist_tasks.sweeping.plan import Plan
from tests import examples
from tests.sweeping import runs

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from mnist_tasks.records import RunRecord
    from mnist_tasks.sweeping.events import Event
    from mnist_tasks.sweeping.plan import Job

PLAN = Plan(seeds=(0, 1, 2, 3))


class Recorder:
    """A progress that records its calls."""

    def __init__(self) -> None:
        self.finished_before = 0
        self.events: list[str] = []

    def begin(self, jobs: Sequence[Job], finished: Sequence[RunRecord]) -> None:
        self.finished_before = len(finished)

    def advance(self, event: Event) -> None:
        seed = event.job.config.seed
        match event:
            case Started():
                self.events.append(f"started {seed}")
            case WorkerLost():
                self.events.append(f"lost {seed}: {event.reason}")
            case Finished(outcome=Failed()):
                self.events.append(f"failed {seed}")
            case Finished():
                self.events.append(f"done {seed}")


class Executor:
    """Reports every run as done, except for those that fail or lose their worker at first."""

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
                yield Started(job=job)
                if job.config.seed == 2:
                    yield WorkerLost(job=job, reason="it died")
                failed = job.config.seed == self.failing
                yield Finished(job=job, outcome=runs.FAILED if failed else runs.result(job))
        finally:
            self.was_closed = True


def test_every_run_gets_a_record_and_a_model(tmp_path: Path) -> None:
    executor, recorder = Executor(), Recorder()
    result = sweep.run(PLAN, tmp_path / "s", executor, progress=recorder)
    assert (result.runs, result.done, result.kept, result.exit_code) == (4, 4, 0, 0)
    found = run_store.read_all(tmp_path / "s")
    assert [record.seed for record in found.records] == [0, 1, 2, 3]
    assert found.skipped == ()
    for record in found.records:
        assert (tmp_path / "s" / record.id / "model.h5").read_bytes() == runs.MODEL
    assert json.loads((tmp_path / "s" / "sweep.json").read_bytes())["ranking"][0]["runs"] == 4
    assert recorder.events[:2] == ["started 0", "done 0"]
    assert recorder.events[4:7] == ["started 2", "lost 2: it died", "done 2"]
    assert executor.work is not None
    assert not executor.work.exists()


def test_runs_are_listed_in_the_order_in_which_they_ended(tmp_path: Path) -> None:
    """All have the same time, and the clock may be set back before a sweep is resumed."""
    later = replace(examples.run(), id="old", created="2040-01-01T00:00:00+00:00")
    run_store.save(later, tmp_path)
    result = sweep.run(PLAN, tmp_path, Executor(), progress=Recorder())
    assert result.done == 4
    assert [run.seed for run in run_store.list_runs(tmp_path).runs[1:]] == [0, 1, 2, 3]


def test_finished_runs_are_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        sweep.run(PLAN, tmp_path, Executor(stop_after=2), progress=Recorder())
    assert not (tmp_path / "sweep.json").exists()
    executor, recorder = Executor(), Recorder()
    result = sweep.run(PLAN, tmp_path, executor, progress=recorder)
    assert executor.given == [2, 3]
    assert recorder.finished_before == 2
    assert (result.done, result.kept) == (4, 2)


def test_a_sweep_that_is_extended_is_unfinished_until_all_runs_are_done(tmp_path: Path) -> None:
    sweep.run(PLAN, tmp_path, Executor(), progress=Recorder())
    wider = replace(PLAN, seeds=tuple(range(10)))
    with pytest.raises(KeyboardInterrupt):
        sweep.run(wider, tmp_path, Executor(stop_after=1), progress=Recorder())
    found = stored_sweep.read(tmp_path)
    assert (len(found.records), found.planned, found.missing) == (5, None, None)
    sweep.run(wider, tmp_path, Executor(), progress=Recorder())
    sweep.run(PLAN, tmp_path, Executor(), progress=Recorder())
    found = stored_sweep.read(tmp_path)
    assert (len(found.records), found.planned, found.missing) == (10, 10, 0)


def test_a_run_is_repeated_if_a_file_that_its_network_imports_changed(tmp_path: Path) -> None:
    sweep.run(PLAN, tmp_path, Executor(), progress=Recorder())
    helper = tmp_path / "layers.py"
    helper.write_text("WIDTH = 8")
    paths = {str(helper): disk.sha256(helper), "/on/another/machine.py": "0" * 64}
    for job in PLAN.jobs(tmp_path)[:2]:
        source = NetworkSource(
            path="net.py", function="build", text="", sha256="0" * 64, imports=paths
        )
        record = run_store.read(tmp_path / job.id / "run.json")
        run_store.save(replace(record, network_source=source), tmp_path)
    executor = Executor()
    sweep.run(PLAN, tmp_path, executor, progress=Recorder())
    assert executor.given == []
    helper.write_text("WIDTH = 16")
    sweep.run(PLAN, tmp_path, executor, progress=Recorder())
    assert executor.given == [0, 1]


@pytest.mark.parametrize(
    "damage", ["record cut", "no record", "no model", "other model", "settings"]
)
def test_a_damaged_run_is_repeated(tmp_path: Path, damage: str) -> None:
    sweep.run(PLAN, tmp_path, Executor(), progress=Recorder())
    folder = tmp_path / PLAN.jobs(tmp_path)[1].id
    if damage == "record cut":
        path = folder / "run.json"
        path.write_bytes(path.read_bytes()[:100])
    elif damage == "no record":
        (folder / "run.json").unlink()
    elif damage == "no model":
        (folder / "model.h5").unlink()
    elif damage == "other model":
        (folder / "model.h5").write_bytes(b"another")
    else:
        record = run_store.read(folder / "run.json")
        assert record.trial is not None
        edited = replace(record.trial, settings={"max_shift": 3})
        run_store.save(replace(record, trial=edited), tmp_path)
    executor = Executor()
    assert sweep.run(PLAN, tmp_path, executor, progress=Recorder()).done == 4
    assert executor.given == [1]


def test_a_pipe_in_place_of_a_model_is_neither_read_nor_replaced(tmp_path: Path) -> None:
    model = PLAN.jobs(tmp_path)[1].config.output
    model.parent.mkdir()
    os.mkfifo(model)  # reading one would block forever
    with pytest.raises(UsageError, match=re.escape(str(model))):
        sweep.run(PLAN, tmp_path, Executor(), progress=Recorder())
    assert model.is_fifo()


def test_a_failed_run_is_reported_and_repeated_by_the_next_sweep(tmp_path: Path) -> None:
    recorder = Recorder()
    result = sweep.run(PLAN, tmp_path, Executor(failing=1), progress=recorder)
    assert (result.done, result.exit_code) == (3, 4)
    (failed,) = result.failed
    assert (failed.seed, failed.failure.found) == (1, "it failed")
    assert "failed 1" in recorder.events
    executor = Executor()
    assert sweep.run(PLAN, tmp_path, executor, progress=Recorder()).exit_code == 0
    assert executor.given == [1]


def test_other_runs_in_the_folder_are_kept_but_not_ranked(tmp_path: Path) -> None:
    sweep.run(PLAN, tmp_path, Executor(), progress=Recorder())
    more = Plan(seeds=(3, 4))
    executor = Executor()
    result = sweep.run(more, tmp_path, executor, progress=Recorder())
    assert executor.given == [4]
    assert (result.runs, result.ranking[0].runs) == (2, 2)
    assert len(run_store.read_all(tmp_path).records) == 5


def test_the_executor_is_closed_when_a_record_cant_be_written(tmp_path: Path) -> None:
    job = PLAN.jobs(tmp_path)[0]
    (tmp_path / job.id).write_text("in the way")
    executor = Executor()
    with pytest.raises(EnvironmentProblemError) as caught:
        sweep.run(PLAN, tmp_path, executor, progress=Recorder())
    assert "--output" in str(caught.value.remedy)
    assert executor.was_closed


def test_the_error_for_an_unwritable_record_names_the_output_option(tmp_path: Path) -> None:
    (tmp_path / PLAN.jobs(tmp_path)[0].id / "run.json").mkdir(parents=True)
    with pytest.raises(EnvironmentProblemError) as caught:
        sweep.run(PLAN, tmp_path, Executor(), progress=Recorder())
    assert "--output" in str(caught.value.remedy)


def test_an_error_in_an_executor_is_not_blamed_on_the_folder(tmp_path: Path) -> None:
    def executor(_: object, __: object) -> Generator[Event]:
        raise ConnectionError("it is gone")
        yield  # makes the function a generator

    with pytest.raises(ConnectionError, match="it is gone"):
        sweep.run(PLAN, tmp_path, executor, progress=Recorder())
    assert {path.name for path in tmp_path.iterdir()} <= {".lock"}


def test_files_are_staged_where_the_next_sweep_deletes_leftovers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    staged: list[Path | None] = []
    write = disk.write

    def spy(target: Path, content: bytes, *, staging: Path | None = None) -> None:
        staged.append(staging)
        write(target, content, staging=staging)

    monkeypatch.setattr(disk, "write", spy)
    executor = Executor()
    sweep.run(PLAN, tmp_path, executor, progress=Recorder())
    assert len(staged) == 9  # four models, four records and the summary
    assert set(staged) == {executor.work}


def test_two_sweeps_cannot_use_a_folder_at_once(tmp_path: Path) -> None:
    errors = []

    def executor(jobs: Sequence[Job], folder: Path) -> Generator[Event]:
        with pytest.raises(EnvironmentProblemError) as caught:
            sweep.run(PLAN, tmp_path, Executor(), progress=Recorder())
        errors.append(caught.value)
        yield from Executor()(jobs, folder)

    sweep.run(PLAN, tmp_path, executor, progress=Recorder())
    assert "has locked the folder" in errors[0].found


def test_leftovers_of_a_killed_sweep_are_deleted(tmp_path: Path) -> None:
    for name in (f"{temporary.PREFIX}abcd1234", ".another-folder"):
        (tmp_path / name / "inner").mkdir(parents=True)
    sweep.run(PLAN, tmp_path, Executor(), progress=Recorder())
    assert {path.name for path in tmp_path.glob(".*")} - {".lock"} == {".another-folder"}
