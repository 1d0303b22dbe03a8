"""A signal that ends a command leaves no process and no temporary folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mnist_tasks.cli import termination
from tests.conftest import SMALL_CLI, restore_ctrl_c
from tests.environment import throwaway
from tests.vetting.crafted import handmade

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are listed in /proc")

# A library that the vetting process never finishes importing.
ENDLESS = """
import os, sys, time
if sys.flags.isolated:
    if os.fork() == 0:
        os.setsid()
    with open({0!r}, "a") as file:
        print(os.getpid(), file=file)
    time.sleep(600)
"""


@pytest.mark.parametrize("command", ["vet", "check", "check two", "doctor"])
@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)],
    ids=["SIGTERM", "SIGHUP", "SIGINT"],
)
def test_a_signal_ends_everything(
    command: str, number: signal.Signals, code: int, tmp_path: Path
) -> None:
    for name in ("libraries", "temporary"):
        (tmp_path / name).mkdir()
    pids = tmp_path / "pids"
    pids.touch()
    (tmp_path / "libraries" / "h5py.py").write_text(ENDLESS.format(str(pids)))
    name, *more = command.split()
    arguments = ["a.h5", "b.h5"] if more else ["a.h5"]
    for model in arguments:
        (tmp_path / model).write_bytes(handmade.write_h5(handmade.small()))
    if command == "doctor":
        arguments = ["--offline"]
    data = str(tmp_path / "data")
    path = os.pathsep.join([str(tmp_path / "libraries"), str(throwaway.PROJECT)])
    process = subprocess.Popen(
        [sys.executable, str(SMALL_CLI), data, name, *arguments],
        cwd=tmp_path,
        env={
            **os.environ,
            "MNIST_TASKS_DATA": data,
            "PYTHONPATH": path,
            "TMPDIR": str(tmp_path / "temporary"),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=restore_ctrl_c,
    )
    wait_until(lambda: pids.read_text().count("\n") >= 2)
    assert len(list((tmp_path / "temporary").iterdir())) >= 1
    process.send_signal(number)
    _, stderr = process.communicate(timeout=600)
    assert process.returncode == code, stderr
    assert "Traceback" not in stderr
    assert not list((tmp_path / "temporary").iterdir())
    wait_until(lambda: not any(Path("/proc", pid).exists() for pid in pids.read_text().split()))


@pytest.mark.parametrize(
    ("number", "raised"),
    [
        (signal.SIGTERM, SystemExit(143)),
        (signal.SIGHUP, SystemExit(129)),
        (signal.SIGINT, KeyboardInterrupt()),
    ],
    ids=["SIGTERM", "SIGHUP", "SIGINT"],
)
@pytest.mark.parametrize("finalizers", [1, 2])
def test_a_signal_during_a_finalizer_is_not_lost(
    number: signal.Signals, raised: BaseException, finalizers: int
) -> None:
    """Python drops an exception that a finalizer raises, also one that a signal's handler does."""

    class Slow:
        def __del__(self) -> None:
            if not first:
                first.append(True)
                signal.raise_signal(number)
            time.sleep(0.2)  # when the signal is sent again, another finalizer runs

    def drop_and_wait(number: int) -> None:
        for _ in range(number):
            Slow()
        time.sleep(60)

    first: list[bool] = []
    before, hook = signal.getsignal(number), sys.unraisablehook
    default = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
    signal.signal(number, default)
    try:
        with pytest.raises(type(raised)) as error, termination.unwinding():
            drop_and_wait(finalizers)
    finally:
        signal.signal(number, before)
    assert error.value.args == raised.args
    assert sys.unraisablehook is hook


def test_any_other_error_in_a_finalizer_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    class Broken:
        def __del__(self) -> None:
            raise ValueError("not ours")

    hook, sys.unraisablehook = sys.unraisablehook, sys.__unraisablehook__
    try:
        with termination.unwinding():
            Broken()
    finally:
        sys.unraisablehook = hook
    assert "ValueError: not ours" in capsys.readouterr().err


def test_a_caller_keeps_its_handlers() -> None:
    """Also one that calls from another thread, where Python can't set a handler."""
    before = signal.getsignal(signal.SIGTERM)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        with termination.unwinding():
            assert signal.getsignal(signal.SIGTERM) != signal.SIG_DFL
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)
    with ThreadPoolExecutor() as threads:
        threads.submit(_enter_and_leave).result()


def _enter_and_leave() -> None:
    with termination.unwinding():
        pass


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for up to ten minutes."""
    end = time.monotonic() + 600
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)
