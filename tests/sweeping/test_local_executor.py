"""The local executor, with real worker processes, some of which are killed."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
from functools import partial
from typing import TYPE_CHECKING

import pytest

from mnist_tasks.environment.machine import Memory
from mnist_tasks.errors import EnvironmentProblemError
from mnist_tasks.sweeping import local_executor, worker
from mnist_tasks.sweeping.events import MAX_ATTEMPTS, Finished, Started, WorkerLost
from mnist_tasks.sweeping.job import Failed, Result
from mnist_tasks.sweeping.plan import Plan
from mnist_tasks.sweeping.search_space import Setting
from tests.sweeping import small

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from pathlib import Path

    from mnist_tasks.sweeping.events import Event
    from mnist_tasks.sweeping.plan import Job

    Run = Callable[..., Generator[Event]]

pytestmark = pytest.mark.slow
LIMIT = 60


@pytest.fixture
def run(small_mnist: Path, tmp_path: Path) -> Run:
    work = tmp_path / "work"
    work.mkdir()
    return partial(local_executor.run, load=partial(small.load, small_mnist), folder=work)


@pytest.fixture
def jobs(small_mnist: Path, tmp_path: Path) -> tuple[Job, ...]:
    return Plan(seeds=(0, 1, 2, 3), limit=LIMIT).jobs(tmp_path)


def outcomes_by_seed(events: Sequence[Event]) -> dict[int, Result | Failed]:
    return {each.job.config.seed: each.outcome for each in events if isinstance(each, Finished)}


def is_alive(process: int | None) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process or 0, 0)
        return True
    return False


def test_any_number_of_workers_gives_the_same_models(run: Run, jobs: Sequence[Job]) -> None:
    one = outcomes_by_seed(list(run(jobs, workers=1)))
    two = outcomes_by_seed(list(run(jobs, workers=2)))
    assert list(one) == [0, 1, 2, 3]
    assert set(two) == {0, 1, 2, 3}
    for seed, outcome in one.items():
        other = two[seed]
        assert isinstance(outcome, Result)
        assert isinstance(other, Result)
        assert outcome.model == other.model
        assert outcome.record.trial is not None
        assert other.record.trial is not None
        assert outcome.record.trial.metrics == other.record.trial.metrics
        assert outcome.record.trial.metrics.images == 85
    processes = {each.record.trial.worker for each in two.values()}  # type: ignore[union-attr]
    assert len(processes) == 2


def test_the_run_of_a_killed_worker_is_repeated(run: Run, jobs: Sequence[Job]) -> None:
    events: list[Event] = []
    for event in run(jobs[:2], workers=1):
        if isinstance(event, Started) and not events:
            os.kill(event.process or 0, signal.SIGKILL)
        events.append(event)
    (lost,) = [each for each in events if isinstance(each, WorkerLost)]
    assert "its worker died (SIGKILL)" in lost.reason
    outcomes = outcomes_by_seed(events)
    assert all(isinstance(each, Result) for each in outcomes.values())
    attempts = {
        seed: each.record.trial.attempts  # type: ignore[union-attr]
        for seed, each in outcomes.items()
    }
    assert attempts == {0: 2, 1: 1}


def test_a_run_that_always_kills_its_worker_is_abandoned_and_reported(
    run: Run, jobs: Sequence[Job]
) -> None:
    events: list[Event] = []
    for event in run(jobs[:2], workers=1):
        if isinstance(event, Started) and event.job.config.seed == 0:
            os.kill(event.process or 0, signal.SIGKILL)
        events.append(event)
    started = [each for each in events if isinstance(each, Started) and each.job.config.seed == 0]
    assert len(started) == MAX_ATTEMPTS == 3
    outcomes = outcomes_by_seed(events)
    assert isinstance(outcomes[1], Result)
    assert isinstance(outcomes[0], Failed)
    assert outcomes[0].exit_code == 4
    assert "SIGKILL" in outcomes[0].failure.found
    assert "3 times" in outcomes[0].failure.found


def test_a_run_that_diverges_is_not_repeated(run: Run, jobs: Sequence[Job], tmp_path: Path) -> None:
    settings = (Setting(values=(("learning_rate", 1e30),)),)
    diverging = Plan(settings=settings, seeds=(0,), limit=400).jobs(tmp_path)
    events = list(run([*diverging, jobs[0]], workers=1))
    first, last = [each for each in events if isinstance(each, Finished)]
    assert isinstance(first.outcome, Failed)
    assert first.outcome.exit_code == 2
    assert "the loss is" in first.outcome.failure.found
    assert isinstance(last.outcome, Result)
    assert not [each for each in events if isinstance(each, WorkerLost)]


def test_another_thread_count_requires_another_process(
    run: Run, small_mnist: Path, tmp_path: Path
) -> None:
    settings = (Setting(recipe="default"), Setting(recipe="plain"))
    two_threads = Plan(settings=settings, seeds=(0,), limit=LIMIT, threads=2).jobs(tmp_path)
    events = list(run(two_threads, workers=1))
    processes = {each.process for each in events if isinstance(each, Started)}
    assert len(processes) == 2
    assert all(isinstance(each.outcome, Result) for each in events if isinstance(each, Finished))


def test_a_worker_that_used_too_much_memory_is_replaced(
    run: Run, jobs: Sequence[Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "MAX_BYTES", 1)
    events = list(run(jobs[:2], workers=1))
    assert len({each.process for each in events if isinstance(each, Started)}) == 2
    assert len(outcomes_by_seed(events)) == 2


def test_stopping_a_sweep_ends_its_workers(run: Run, jobs: Sequence[Job]) -> None:
    events = run(jobs, workers=2)
    started = [next(events), next(events)]
    processes = [each.process for each in started if isinstance(each, Started)]
    assert all(is_alive(each) for each in processes)
    events.close()
    assert not any(is_alive(each) for each in processes)


def test_the_failure_includes_the_output_of_a_worker_that_died(
    jobs: Sequence[Job], tmp_path: Path
) -> None:
    events = list(local_executor.run(jobs[:1], load=small.fail_to_load, workers=1, folder=tmp_path))
    (outcome,) = outcomes_by_seed(events).values()
    assert isinstance(outcome, Failed)
    assert "OSError: the images are missing" in outcome.failure.found


def test_images_that_cannot_be_loaded_are_not_blamed_on_memory(
    jobs: Sequence[Job], tmp_path: Path
) -> None:
    load = partial(small.without_files, tmp_path)
    events = list(local_executor.run(jobs[:2], load=load, workers=1, folder=tmp_path))
    assert not any(isinstance(each, WorkerLost) for each in events)
    for outcome in outcomes_by_seed(events).values():
        assert isinstance(outcome, Failed)
        assert outcome.exit_code == 3
        assert "mnist-tasks fetch" in str(outcome.failure.remedy)


@pytest.mark.parametrize(
    ("available", "limit", "threads", "device", "expected"),
    [
        (100, None, 1, "cpu", 8),
        (100, None, 3, "cpu", 2),
        (100, None, 9, "cpu", 1),
        (100, None, 1, "gpu", 1),
        (3.5, None, 1, "cpu", 3),
        (100, 2, 1, "cpu", 2),
        (0.1, None, 1, "cpu", 1),
        (None, None, 1, "cpu", 8),
    ],
)
def test_cores_and_memory_limit_the_number_of_processes(
    monkeypatch: pytest.MonkeyPatch,
    available: float | None,
    limit: int | None,
    threads: int,
    device: str,
    expected: int,
) -> None:
    memory = Memory(
        total=None,
        available=None if available is None else int(available * 1024**3),
        limit=None if limit is None else limit * 1024**3,
    )
    monkeypatch.setattr("mnist_tasks.config.available_cores", lambda: 8)
    monkeypatch.setattr("mnist_tasks.environment.machine.measure_memory", lambda: memory)
    assert local_executor.max_processes(threads=threads, device=device) == expected


def test_the_error_names_the_option_if_no_process_can_be_started(
    run: Run, jobs: Sequence[Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(local_executor, "Worker", refuse)
    with pytest.raises(EnvironmentProblemError) as caught:
        list(run(jobs, workers=2))
    assert "--workers" in str(caught.value.remedy)
    assert "files" in caught.value.found
