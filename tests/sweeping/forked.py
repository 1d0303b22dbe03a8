"""Worker processes that fork from one that has imported TensorFlow: the start costs nothing.

They get from `multiprocessing` what a new Python would get, and inherit no other file.
"""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Sequence
from multiprocessing import util
from typing import Any, NoReturn

from tests.vetting.forked import tensorflow_runs

_MOST_FILES = 256
_start_python = util.spawnv_passfds


def install() -> None:
    """Replace the start of the workers of this process."""
    vars(util)["spawnv_passfds"] = _start


def _start(path: bytes, command: Sequence[Any], files: Sequence[int]) -> int:
    code = command[command.index("-c") + 1]
    is_worker = "spawn_main" in code  # and not the resource tracker
    if not is_worker or tensorflow_runs():
        return _start_python(path, command, files)
    pid = os.fork()
    if pid == 0:
        _run(code, [str(each) for each in command[command.index(code) + 1 :]], files)
    return pid


def _run(code: str, arguments: list[str], files: Sequence[int]) -> NoReturn:
    """Run a program in a new process, which has one thread."""
    status: Any = 70
    try:
        sys.settrace(None)  # nothing would save the coverage
        for first, last in itertools.pairwise([2, *sorted(files), _MOST_FILES]):
            os.closerange(first + 1, last)
        sys.argv = ["-c", *arguments]
        exec(code, {})  # noqa: S102 - it is of `multiprocessing`
    except SystemExit as error:
        status = error.code
    finally:
        os._exit(status)  # none of the caller's code may run in this process
