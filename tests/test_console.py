"""Messages and errors on standard error, and a closed pipe."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from rich.columns import Columns
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from mnist_tasks import console
from mnist_tasks.errors import InputRefusedError
from mnist_tasks.reporting.terminal.progress import TrainingProgress


@pytest.fixture(autouse=True)
def no_color(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FORCE_COLOR", "COLUMNS", "JPY_PARENT_PID", "MPLBACKEND", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)


def test_an_error_shows_its_parts_and_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
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


def test_an_error_leaves_out_missing_parts(capsys: pytest.CaptureFixture[str]) -> None:
    console.show_error(InputRefusedError("file", found="nothing"))
    assert "expected" not in capsys.readouterr().err


def test_a_long_line_stays_one_line_in_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    console.note("word " * 100)
    assert capsys.readouterr().err.count("\n") == 1


def test_no_text_is_markup_or_an_escape(capsys: pytest.CaptureFixture[str]) -> None:
    shown = "[/x] [red]r[/red] [link=a]b[/link] :smile:"
    text = f"{shown} \x1b[31m\x9b\u202e"
    table = Table(text, title=text)
    table.add_row(text)
    screen = console.results()
    screen.width = 300
    for renderable in (text, Text(text), table, Panel(text, title=Text(text)), Columns([text])):
        screen.print(renderable)
        out = capsys.readouterr().out
        assert shown in out
        assert out.replace("\n", "").isprintable()


def test_a_closed_standard_error_loses_no_results() -> None:
    script = (
        "import os\n"
        "from mnist_tasks import console\n"
        "read, write = os.pipe()\n"
        "os.close(read)\n"
        "os.dup2(write, 2)\n"
        "console.note('unread')\n"
        "console.results().print('the result')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "the result\n"


def test_forced_color_makes_no_terminal_of_a_log(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    screen = console.messages()
    assert screen.is_terminal
    assert screen.width == console.LOG_WIDTH
    assert not console.is_live(screen)
    with TrainingProgress() as progress:
        progress.begin(1, 2)
        progress.advance(1, 2, 0.5, 0.5)
    err = capsys.readouterr().err
    assert "epoch 1/1" in err
    assert re.sub("\x1b\\[[0-9;]*m", "", err).replace("\n", "").isprintable()


@pytest.mark.parametrize(
    ("variables", "live"),
    [
        ({"TERM": "xterm"}, True),
        ({"TERM": "dumb"}, False),
        ({"TERM": "xterm-color", "JPY_PARENT_PID": "7", "FORCE_COLOR": "1"}, False),
        ({"TERM": "xterm", "MPLBACKEND": "module://matplotlib_inline.backend_inline"}, False),
        ({"TERM": "xterm", "MPLBACKEND": "Agg"}, True),
    ],
)
def test_bars_move_where_a_screen_is(
    variables: dict[str, str], live: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    pty = pytest.importorskip("pty", reason="Windows has no terminals in files")
    for name, text in variables.items():
        monkeypatch.setenv(name, text)
    leader, follower = pty.openpty()
    with os.fdopen(leader), os.fdopen(follower, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        assert console.is_live(console.messages()) == live


@pytest.mark.parametrize("size", ["0", "7", "²", "9999999999"])
def test_a_size_that_is_none_is_ignored(size: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", size)
    monkeypatch.setenv("LINES", size)
    assert console.results().width == console.LOG_WIDTH
    monkeypatch.setenv("COLUMNS", "44")
    assert console.results().width == 44
