"""The process between the parent and the vetting process: it ends whatever that one starts.

On Linux, the children of a process that has ended become those of its nearest ancestor that is a
"child subreaper". The supervisor is one, so it finds every descendant of the vetting process, also
one that started a session of its own. The parent couldn't tell them from its own other children.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
from functools import partial
from pathlib import Path
from typing import NoReturn

from mnist_tasks import parent_death

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_CHILD_SUBREAPER = 1, 4, 36
_SCAN_SECONDS = 0.005


def start(parent: int) -> None:
    """Fork, and return in the new process only; this one supervises it until both end.

    The supervisor exits as the new process did. If it receives SIGTERM, or if its parent ends, it
    ends every process below it first. Other systems than Linux have no supervisor: there, this
    process ends with its parent, which holds the other end of its standard input.
    """
    if sys.platform != "linux":
        parent_death.exit_with_parent(parent, partial(os.read, 0, 1))
        return
    awaited = (signal.SIGCHLD, signal.SIGTERM)
    signal.pthread_sigmask(signal.SIG_BLOCK, awaited)
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)  # the parent ended before the line above
    supervisor = os.getpid()
    child = os.fork()
    if child == 0:
        parent_death.kill_with_parent(supervisor)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, awaited)
        return
    # The vetting process must not be able to trace this one, which is not confined.
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    os.dup2(2, 1)  # the parent reads the other end until nobody can write
    status = None
    while status is None and signal.sigwait(awaited) == signal.SIGCHLD:
        status = _reap(child)
    _end_descendants(child)
    _exit_like(status)


def _reap(child: int) -> int | None:
    """Wait for the processes that have ended; return the status of `child` if it has."""
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            if ended[0] == child:
                return ended[1]
    return None


def _end_descendants(child: int) -> None:
    """Kill and reap until no process is left: each pass may find new orphans."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG)[0]:
                continue
        except ChildProcessError:
            return
        for process in descendants(os.getpid()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        time.sleep(_SCAN_SECONDS)


def descendants(ancestor: int) -> list[int]:
    """List the processes below another one, on Linux."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            # The name in brackets may be anything; after it: state, parent.
            fields = entry.read_bytes().rpartition(b")")[2].split()
            children.setdefault(int(fields[1]), []).append(int(entry.parent.name))
    found = [ancestor]
    for process in found:  # grows while it is read
        found += children.pop(process, [])
    return found[1:]


def _exit_like(status: int | None) -> NoReturn:
    """End as the child did: with its exit code, or by its signal but without a core dump."""
    code = -signal.SIGTERM if status is None else os.waitstatus_to_exitcode(status)
    if code < 0:
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with contextlib.suppress(OSError, ValueError):  # SIGKILL can have no handler
            signal.signal(-code, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (-code,))
        os.kill(os.getpid(), -code)
    os._exit(max(code, 0))
