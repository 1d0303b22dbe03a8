"""Live bars in a terminal, plain whole lines elsewhere."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mnist_tasks import console
from mnist_tasks.errors import InputRefusedError


@pytest.fixture(autouse=True)
def no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


def test_an_error_tells_its_parts_and_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    console.show_error(
        InputRefusedError("[red]file", expected="x" * 300, found="[bold]y", remedy="Try again.")
    )
    out, err = capsys.readouterr()
    assert out == ""
    assert "Input refused" in err
    assert "[red]file" in err
    assert "[bold]y" in err
    assert err.count("x") >= 300
    assert "Try again." in err


def test_an_error_leaves_out_what_it_has_not(capsys: pytest.CaptureFixture[str]) -> None:
    console.show_error(InputRefusedError("file", found="nothing"))
    assert "expected" not in capsys.readouterr().err


def test_a_long_line_stays_one_line_in_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    console.note("word " * 100)
    assert capsys.readouterr().err.count("\n") == 1


def test_training_in_a_pipe_is_told_in_lines_at_intervals(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr("mnist_tasks.console.time.monotonic", lambda: clock[0])
    with console.TrainingProgress() as progress:
        progress.begin(2, 1000)
        for epoch in (1, 2):
            for images in range(100, 1001, 100):
                clock[0] += 1
                progress.advance(epoch, images, 0.5, 0.75)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 4  # every five seconds, of which the second is the end of the epoch
    assert lines[0] == ("epoch 1/2  500/1,000 images  loss 0.5000  accuracy 75.00%  100 images/s")
    assert lines[-1].startswith("epoch 2/2  1,000/1,000 images")


def test_a_download_in_a_pipe_is_told_in_lines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr("mnist_tasks.console.time.monotonic", lambda: clock[0])
    with console.DownloadProgress() as progress:
        progress.begin("a file from [b]there")
        for done in (1, 2, 3):
            clock[0] += 3
            progress.advance(done * 1_000_000, 4_000_000)
    assert capsys.readouterr().err.splitlines() == [
        "downloading a file from [b]there",
        "a file from [b]there: 2.0 of 4.0 MB",
    ]


@pytest.mark.parametrize("total", [None, 4_000_000])
def test_in_a_terminal_there_are_bars_and_no_lines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, total: int | None
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("COLUMNS", "100")
    with console.DownloadProgress() as progress:
        progress.begin("file")
        progress.advance(1_000_000, total)
    with console.TrainingProgress() as training:
        training.begin(1, 100)
        training.advance(1, 100, 0.25, 0.5)
    err = capsys.readouterr().err
    assert "downloading" not in err
    assert "loss 0.2500  accuracy 50.00%" in err
    assert "\x1b[?25h" in err  # the cursor is back


def test_a_reader_of_messages_that_goes_away_takes_no_results_with_it() -> None:
    script = (
        "import os\n"
        "from mnist_tasks import console\n"
        "read, write = os.pipe()\n"
        "os.close(read)\n"
        "os.dup2(write, 2)\n"
        "console.note('to nobody')\n"
        "console.results().print('the result')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "the result\n"
