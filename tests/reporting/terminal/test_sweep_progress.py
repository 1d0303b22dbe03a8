"""The progress of a sweep: a live table in a terminal, lines elsewhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from mnist_tasks.reporting.terminal.sweep_progress import SweepProgress
from mnist_tasks.sweeping import search_space
from mnist_tasks.sweeping.events import Finished, Started, WorkerLost
from mnist_tasks.sweeping.plan import Plan
from tests.sweeping import runs

if TYPE_CHECKING:
    import pytest

JOBS = Plan(settings=search_space.grid(["default"], {"max_shift": (0, 1)}), seeds=(0, 1)).jobs(
    Path("x")
)


def show_progress() -> None:
    with SweepProgress() as progress:
        progress.begin(JOBS, [runs.record(JOBS[0], 910)])
        for job in JOBS[1:]:
            progress.advance(Started(job=job))
        progress.advance(WorkerLost(job=JOBS[1], reason="it died [red]here"))
        progress.advance(Finished(job=JOBS[2], outcome=runs.result(JOBS[2], 930)))
        progress.advance(Finished(job=JOBS[3], outcome=runs.FAILED))


def test_in_a_pipe_there_is_a_line_for_each_run(capsys: pytest.CaptureFixture[str]) -> None:
    show_progress()
    assert capsys.readouterr().err.splitlines() == [
        "1 of 4 runs were already done",
        "default max_shift=1, seed 0: it died [red]here; retrying",
        "2/4  default max_shift=0, seed 1: 93.00%, 4.1 s",
        "3/4  default max_shift=1, seed 1 failed: it failed",
    ]


def test_in_a_terminal_there_is_a_table_of_the_settings(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    show_progress()
    err = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().err)
    assert "default max_shift=0    2/2" in err
    assert "92.00%" in err  # the mean of 91 and 93
    assert "default max_shift=1    0/2" in err
    assert "2/4  default" not in err
    assert "3/4  default max_shift=1, seed 1 failed: it failed" in err
    assert "\x1b[?25h" in err  # the cursor is back
