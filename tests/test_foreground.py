"""A command in the foreground gets each signal once, whoever sends it to whom."""

from __future__ import annotations

import contextlib
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mnist_tasks import foreground
from tests.conftest import restore_ctrl_c

PROJECT = Path(__file__).parents[1]
# Says which signals it receives until a file tells it to end, then exits with code 42. Not told,
# it ends after five minutes.
COMMAND = """
import os, signal, sys, time
def say(text): os.write(1, text.encode() + b"\\n")
for name in sys.argv[2:]:
    signal.signal(getattr(signal, name), lambda number, _: say(signal.Signals(number).name))
say("ready")
end = time.monotonic() + 300
while not os.path.exists(sys.argv[1]) and time.monotonic() < end:
    time.sleep(0.05)
sys.exit(42)
"""
PARENT = "import sys; from mnist_tasks import foreground; sys.exit(foreground.run(sys.argv[1:]))"


@contextlib.contextmanager
def running(
    ending: Path, *caught: str, **how: object
) -> Iterator[tuple[subprocess.Popen[str], Iterator[str]]]:
    """Run `COMMAND` through `foreground.run`, and yield that process and the lines of its child."""
    how = {"stdout": subprocess.PIPE, "preexec_fn": restore_ctrl_c, **how}
    command = [sys.executable, "-c", COMMAND, str(ending), *caught]
    words = [sys.executable, "-c", PARENT, *command]
    parent: subprocess.Popen[str]
    with subprocess.Popen(words, text=True, **how) as parent:  # type: ignore[call-overload]
        try:
            yield parent, iter(parent.stdout.readline, "") if parent.stdout else iter(())
        finally:
            ending.touch()
            parent.wait(timeout=600)


def test_a_command_line_is_quoted_for_the_shells_of_its_system() -> None:
    words = ["C:\\Program Files\\python.exe", "train", "it's", 'a "b"', "R&D\\", "", "b\\m_1.h5"]
    assert foreground.command_line(words, "linux") == (
        """'C:\\Program Files\\python.exe' train 'it'"'"'s' 'a "b"' 'R&D\\' '' 'b\\m_1.h5'"""
    )
    assert foreground.command_line(words, "win32") == (
        '"C:\\Program Files\\python.exe" train "it\'s" "a \\"b\\"" "R&D\\\\" "" b\\m_1.h5'
    )


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"])
@pytest.mark.parametrize("to_the_group", [False, True])
def test_a_signal_reaches_the_command_once_and_the_code_is_its_own(
    name: str, to_the_group: bool, tmp_path: Path
) -> None:
    with running(tmp_path / "end", name, start_new_session=True) as (parent, lines):
        assert next(lines) == "ready\n"
        number = getattr(signal, name)
        parent.send_signal(number)
        if to_the_group:  # `timeout` sends both
            os.killpg(parent.pid, number)
        assert next(lines) == f"{name}\n"
        (tmp_path / "end").touch()
        assert list(lines) == []
        assert parent.wait(timeout=600) == 42


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux's kernel")
def test_a_command_is_terminated_if_its_parent_is_killed(tmp_path: Path) -> None:
    with running(tmp_path / "end", "SIGTERM") as (parent, lines):
        assert next(lines) == "ready\n"
        parent.kill()
        assert next(lines) == "SIGTERM\n"


def test_a_command_that_a_signal_ends_gives_the_code_of_a_shell(tmp_path: Path) -> None:
    with running(tmp_path / "end") as (parent, lines):
        assert next(lines) == "ready\n"
        parent.send_signal(signal.SIGTERM)
        assert parent.wait(timeout=600) == 143


def test_what_is_ignored_stays_ignored(tmp_path: Path) -> None:
    def ignore() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    with running(tmp_path / "end", preexec_fn=ignore) as (parent, lines):
        assert next(lines) == "ready\n"
        parent.send_signal(signal.SIGHUP)
        (tmp_path / "end").touch()
        assert parent.wait(timeout=600) == 42


def test_ctrl_c_on_a_terminal_reaches_the_command_once(tmp_path: Path) -> None:
    leader, follower = pty.openpty()

    def take_terminal() -> None:
        import fcntl
        import termios

        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        restore_ctrl_c()

    streams = {"stdin": follower, "stdout": follower, "stderr": follower}
    with running(
        tmp_path / "end", "SIGINT", **streams, start_new_session=True, preexec_fn=take_terminal
    ) as (parent, _):
        os.close(follower)
        with os.fdopen(leader, "rb+", buffering=0) as terminal:
            assert terminal.readline() == b"ready\r\n"
            terminal.write(b"\x03")
            assert terminal.readline().endswith(b"SIGINT\r\n")  # after an echoed ^C
            (tmp_path / "end").touch()
            assert parent.wait(timeout=600) == 42
            with contextlib.suppress(OSError):  # the terminal is closed
                assert terminal.read() == b""
