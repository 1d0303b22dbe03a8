"""Run a command in the foreground, as a shell does: with this process's streams and its signals."""

from __future__ import annotations

import ctypes
import math
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from types import FrameType

_PR_SET_PDEATHSIG = 1
# What asks a process to end; Windows lacks some of them.
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT")
# A terminal or a supervisor can send the same signal twice: to this process and to its group.
_SAME_SECONDS = 1.0
_SPECIAL_ON_WINDOWS = re.compile(r"[&|<>^()%!;,'`$@{}#~]")


def command_line(words: Sequence[str], platform: str = sys.platform) -> str:
    """Return a command line as a platform's shells read it; on Windows, cmd and PowerShell."""
    return " ".join(map(_windows_word, words)) if platform == "win32" else shlex.join(words)


def _windows_word(word: str) -> str:
    quoted = subprocess.list2cmdline([word])
    if quoted.startswith('"') or not _SPECIAL_ON_WINDOWS.search(word):
        return quoted
    backslashes = len(word) - len(word.rstrip("\\"))
    return f'"{quoted}{backslashes * chr(92)}"'  # or else the last would escape the quotation mark


def run(words: list[str]) -> int:
    """Run a command and return its exit code, which is 128 + n after signal n.

    The command reads and writes the streams of this process, but not a terminal's input. A signal
    that asks this process to end is passed on once, and the command decides what to do. If this
    process is killed, Linux sends SIGTERM to the command.
    """
    if os.name != "posix":
        return _run_on_console(words)
    children: list[subprocess.Popen[bytes]] = []
    pending: list[int] = []  # signals that came before the command started
    received: dict[int, float] = {}

    def pass_on(number: int, _frame: FrameType | None) -> None:
        if time.monotonic() - received.get(number, -math.inf) > _SAME_SECONDS:
            received[number] = time.monotonic()
            if children:
                children[0].send_signal(number)
            else:
                pending.append(number)

    numbers = [getattr(signal, name) for name in _NAMES]
    # What is ignored stays so, for this process and for the command: `nohup` does that.
    caught = [each for each in numbers if signal.getsignal(each) != signal.SIG_IGN]
    before = {each: signal.signal(each, pass_on) for each in caught}
    try:
        # In a group of its own, Ctrl-C reaches the command through this process only. Such a group
        # is stopped when it reads from the terminal.
        stdin = subprocess.DEVNULL if os.isatty(0) else None
        with subprocess.Popen(
            words,
            process_group=0,
            stdin=stdin,
            preexec_fn=_terminate_with_parent(),  # noqa: PLW1509 - it is one system call
        ) as child:
            children.append(child)
            for number in pending:
                child.send_signal(number)
            code = child.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return 128 - code if code < 0 else code


def _terminate_with_parent() -> Callable[[], object] | None:
    """Return what a new process calls so that Linux terminates it if its parent is killed."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl  # loaded now: after a fork, it might wait for a lock for ever
    return partial(prctl, _PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def _run_on_console(words: list[str]) -> int:
    """Run a command on Windows, where Ctrl-C reaches all processes of a console."""
    with subprocess.Popen(words) as child:
        while True:
            try:
                return child.wait()
            except KeyboardInterrupt:
                continue
