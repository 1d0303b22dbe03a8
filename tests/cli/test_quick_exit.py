"""A command that has loaded TensorFlow ends as Python does, but nothing is freed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Run

# What comes after `main` is what Python would do until it ends.
SCRIPT = """
import atexit, sys, threading, time
from mnist_tasks import fast_import
from mnist_tasks.cli import start
with fast_import.light():
    import tensorflow
atexit.register(print, "at exit", end="")
{before}
sys.argv = ["mnist-tasks", {word!r}]
try:
    start.main()
finally:
    print("by Python")
"""
THREAD = 'threading.Thread(target=lambda: (time.sleep(0.5), print("thread"))).start()'


@pytest.mark.parametrize(
    ("before", "word", "code", "ending"),
    [
        ("", "--version", 0, "at exit"),
        ("", "--none", 2, "at exit"),
        ("atexit.register(sys.stderr.close)", "--version", 0, "at exit"),
        (THREAD, "--version", 0, "by Python\nthread\nat exit"),
        ("del sys.modules['tensorflow']", "--version", 0, "by Python\nat exit"),
    ],
)
def test_what_python_does_at_the_end_is_done(
    python: Callable[..., Run], before: str, word: str, code: int, ending: str
) -> None:
    done = python("-c", SCRIPT.format(before=before, word=word))
    assert done.returncode == code, done.stderr
    assert done.stdout.removeprefix("mnist-tasks 0.1.0\n") == ending
