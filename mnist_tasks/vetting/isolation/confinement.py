"""Confine this process for good, and say which protections are in force.

Each protection is on only if the system accepted it; nothing is taken for granted, and nothing that
fails stops the rest. What each one is, is in ``docs/untrusted-models.md``.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

from mnist_tasks import parent_death
from mnist_tasks.check_records import Protection
from mnist_tasks.vetting.isolation import landlock, linux, privileges, resources, seccomp
from mnist_tasks.vetting.isolation.protections import (
    LIMITS,
    NAMES,
    NETWORK,
    OTHERS,
    PARENT,
    PRIVILEGES,
    PROCESSES,
    READS,
    WRITES,
)
from mnist_tasks.vetting.limits import Limits


def confine(limits: Limits, *, parent: int) -> tuple[Protection, ...]:
    """Confine this process to its working folder; call it before anything is read.

    The process must have one thread only: most protections apply to a thread and those that it
    starts.

    Parameters
    ----------
    parent
        The process of the user, whose environment this one must not read.

    Returns
    -------
    protections
        One for each of `protections.NAMES`, in order.
    """
    found = {LIMITS: _attempt("setrlimit", partial(_limit, limits))}
    if sys.platform == "linux":
        found |= _confine_on_linux(parent)
    other = _Outcome("not available", f"only on Linux, not on {sys.platform}")
    return tuple(
        Protection(name=name, status=outcome.status, detail=outcome.detail)
        for name in NAMES
        for outcome in [found.get(name, other)]
    )


_Status = Literal["on", "off", "not available"]


@dataclass(frozen=True)
class _Outcome:
    """The result of one measure."""

    status: _Status
    detail: str


def _confine_on_linux(parent: int) -> dict[str, _Outcome]:
    dies_with = os.getppid()
    namespace = _attempt("network namespace", _leave_network)
    # After the namespaces: the kernel may clear this signal where credentials change.
    dies = _attempt("parent-death signal", partial(parent_death.kill_with_parent, dies_with))
    dropped = _attempt("no capabilities, no_new_privs", _drop_privileges)
    hidden = _attempt("not dumpable", partial(linux.prctl, linux.PR_SET_DUMPABLE, 0))
    files = _attempt("Landlock", partial(landlock.restrict, Path.cwd()))
    # What an older version lets through, seccomp can refuse.
    is_complete = files.status != "on" or landlock.version() >= landlock.COMPLETE
    calls = _attempt("seccomp", partial(seccomp.restrict, may_truncate=is_complete))
    apart = _attempt("parent's environment unreadable", partial(_require_apart, parent))
    found = {
        PROCESSES: calls,
        NETWORK: _any(calls, namespace),
        PRIVILEGES: dropped,
        WRITES: _all(files, calls),
        READS: files,
        OTHERS: _all(calls, hidden, apart),
        PARENT: _all(dies, calls),
    }
    threads = linux.thread_count()
    if threads > 1:
        detail = f"{threads} threads were running"
        return {name: replace(each, status="off", detail=detail) for name, each in found.items()}
    return found


def _attempt(what: str, measure: Callable[[], object]) -> _Outcome:
    try:
        measure()
    except (OSError, AttributeError) as error:
        is_off = isinstance(error, OSError) and not linux.is_missing(error)
        return _Outcome("off" if is_off else "not available", f"{what}: {_cause(error)}")
    return _Outcome("on", what)


def _cause(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)


def _any(*outcomes: _Outcome) -> _Outcome:
    """Return the result of measures of which one is enough."""
    effective = [each for each in outcomes if each.status == "on"]
    could = any(each.status == "off" for each in outcomes)
    status: _Status = "on" if effective else "off" if could else "not available"
    return _Outcome(status, ", ".join(each.detail for each in effective or outcomes))


def _all(*outcomes: _Outcome) -> _Outcome:
    """Return the result of measures that are all needed."""
    failed = [each for each in outcomes if each.status != "on"]
    lacking = any(each.status == "not available" for each in failed)
    status: _Status = "not available" if lacking else "off" if failed else "on"
    return _Outcome(status, ", ".join(each.detail for each in failed or outcomes))


def _limit(limits: Limits) -> None:
    refused = resources.limit(limits)
    if refused:
        raise PermissionError(errno.EPERM, f"refused {', '.join(refused)}")


def _leave_network() -> None:
    try:
        linux.unshare(linux.CLONE_NEWNET)
    except OSError:
        # Without root, this requires a user namespace, if the system allows one.
        linux.unshare(linux.CLONE_NEWUSER | linux.CLONE_NEWNET)
        resources.limit_threads()


def _drop_privileges() -> None:
    privileges.drop()
    found = linux.status()
    kept = int(found["CapPrm"], 16) | int(found["CapEff"], 16)
    if kept:
        raise PermissionError(errno.EPERM, f"kept {kept:#x}, to read Python's libraries")
    if found.get("NoNewPrivs") != "1":
        raise PermissionError(errno.EPERM, "not confirmed by the kernel")


def _require_apart(parent: int) -> None:
    """Make sure that this process can't read its parent's environment, nor so its memory."""
    try:
        os.close(os.open(f"/proc/{parent}/environ", os.O_RDONLY))
    except OSError:
        return
    raise PermissionError(errno.EPERM, "it can be read")
