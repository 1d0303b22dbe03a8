"""Several checks at once: the order of their results, and how they end early."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from mnist_tasks.checking import parallel
from mnist_tasks.errors import MnistTasksError
from mnist_tasks.vetting import limits, sandbox
from mnist_tasks.vetting.process import supervisor
from tests.vetting.crafted import TABLE

#: A file that HDF5 would read for ever may keep its child busy for five minutes.
PATIENT = replace(limits.DEFAULT, vet_seconds=300, wall_seconds=300)
AT_ONCE = 60.0  # seconds; far less than `PATIENT`, with room for a busy machine


@pytest.mark.parametrize("workers", [1, 2, 7])
def test_results_come_in_order_whichever_is_done_first(workers: int) -> None:
    lock, running, most = threading.Lock(), 0, 0
    together = threading.Barrier(workers)
    done = [threading.Event() for _ in range(8)]

    def work(number: int) -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        if number < workers:
            together.wait(AT_ONCE)
        if number + 1 < workers:  # the first ones end in reverse order
            assert done[number + 1].wait(AT_ONCE)
        with lock:
            running -= 1
        done[number].set()
        return -number

    steps: list[tuple[int, int]] = []
    found = parallel.in_order(
        work, range(8), workers=workers, progress=lambda *step: steps.append(step)
    )
    assert list(found) == [-number for number in range(8)]
    assert most == workers
    assert steps == [(done, 8) for done in range(9)]


def test_nothing_to_do_is_done_at_once() -> None:
    assert list(parallel.in_order(str, (), workers=3, progress=parallel.silent)) == []


@pytest.fixture
def endless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model file in which HDF5 loops for ever, and a temporary folder that is empty."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    row = next(row for row in TABLE if row.name == "endless.h5")
    row.make(tmp_path / row.name, tmp_path / "canary")
    return tmp_path / row.name


def started(folder: Path, count: int) -> None:
    """Wait until child processes are busy."""
    end = time.monotonic() + AT_ONCE
    while len(list(folder.glob("*/request.json"))) < count:
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Hear Ctrl-C, which a shell ignores in background processes."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("how", ["closed", "interrupted"])
def test_ending_early_ends_every_child(
    endless: Path, tmp_path: Path, how: str, ctrl_c: None
) -> None:
    """Those that run are not waited for, and those that have not begun never run."""
    begun: list[Path] = []

    def vet(path: Path) -> str:
        begun.append(path)
        if path.name == "missing.h5":
            return "refused"
        with pytest.raises(MnistTasksError):
            sandbox.vet(path, limits=PATIENT)
        return "ended"

    others = set(supervisor.descendants(os.getpid()))
    paths = [tmp_path / "missing.h5", *[endless] * 6]
    found = parallel.in_order(vet, paths, workers=2, progress=parallel.silent)
    before = time.monotonic()
    if how == "closed":
        with closing(found):
            assert next(found) == "refused"
            started(tmp_path / "temporary", 2)
    else:
        assert next(found) == "refused"
        started(tmp_path / "temporary", 2)
        threading.Timer(0.2, partial(os.kill, os.getpid(), 2)).start()
        with pytest.raises(KeyboardInterrupt):
            next(found)
    assert time.monotonic() - before < AT_ONCE
    assert len(begun) == 3
    assert not list((tmp_path / "temporary").iterdir())
    assert set(supervisor.descendants(os.getpid())) <= others
