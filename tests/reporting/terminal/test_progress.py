"""Live bars in a terminal, and whole lines elsewhere."""

from __future__ import annotations

import re

import pytest

from mnist_tasks.reporting.terminal import progress


@pytest.fixture(autouse=True)
def no_color(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


def test_training_in_a_pipe_is_shown_in_lines_at_intervals(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr("mnist_tasks.reporting.terminal.progress.time.monotonic", lambda: clock[0])
    with progress.TrainingProgress() as shown:
        shown.begin(2, 1000)
        for epoch in (1, 2):
            for images in range(100, 1001, 100):
                clock[0] += 1
                shown.advance(epoch, images, 0.5, 0.75)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 4  # every five seconds, of which the second is the end of the epoch
    assert lines[0] == ("epoch 1/2  500/1,000 images  loss 0.5000  accuracy 75.00%  100 images/s")
    assert lines[-1].startswith("epoch 2/2  1,000/1,000 images")


def test_forced_colors_make_no_terminal_of_a_pipe(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    with progress.DownloadProgress() as shown:
        shown.begin("a file")
        shown.advance(1, 2)
    assert not re.search(r"\x1b\[\?25|\x1b\[2K|\r", capsys.readouterr().err)


def test_a_download_in_a_pipe_is_shown_in_lines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr("mnist_tasks.reporting.terminal.progress.time.monotonic", lambda: clock[0])
    with progress.DownloadProgress() as shown:
        shown.begin("a file from [b]there")
        for done in (1, 2, 3):
            clock[0] += 3
            shown.advance(done * 1_000_000, 4_000_000)
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
    with progress.DownloadProgress() as shown:
        shown.begin("file")
        shown.advance(1_000_000, total)
    with progress.TrainingProgress() as training:
        training.begin(1, 100)
        training.advance(1, 100, 0.25, 0.5)
    err = capsys.readouterr().err
    assert "downloading" not in err
    assert "loss 0.2500  accuracy 50.00%" in err
    assert "\x1b[?25h" in err  # the cursor is back


def test_until_it_trains_the_view_says_why(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("COLUMNS", "100")
    with progress.TrainingProgress() as training:
        err = capsys.readouterr().err
        assert "starting TensorFlow" in err
        assert "accuracy" not in err  # no empty curves
        training.begin(1, 100)
        training.advance(1, 100, 0.25, 0.5)
    err = capsys.readouterr().err
    assert "epoch 1/1" in err
    assert " accuracy " in err
