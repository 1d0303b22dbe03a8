"""The protections of the child process: their names, and which of them are essential."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from mnist_tasks.check_records import Protection
from mnist_tasks.errors import EnvironmentProblemError
from mnist_tasks.vetting.untrusted_text import sanitize

LIMITS = "resource-limits"
PROCESSES = "no-new-processes"
NETWORK = "no-network"
PRIVILEGES = "no-privileges"
WRITES = "no-writes-outside"
READS = "no-reads-outside"
OTHERS = "no-access-to-processes"
PARENT = "ends-with-parent"
NAMES = (LIMITS, PROCESSES, NETWORK, PRIVILEGES, WRITES, READS, OTHERS, PARENT)
#: Without one of these, code in a file could change this machine or reach another one.
ESSENTIAL = (LIMITS, PROCESSES, NETWORK, PRIVILEGES, WRITES)


def summary(protections: Sequence[Protection]) -> tuple[str, list[str]]:
    """Return in words how many protections are on, and a line about each of the others."""
    lacking = [each for each in protections if each.status != "on"]
    on = f"{len(protections) - len(lacking)} of {len(protections)} protections on"
    return on, [f"{each.name} is {each.status} ({each.detail})" for each in lacking]


def missing(protections: Iterable[Protection]) -> list[Protection]:
    """Return the essential protections that are not on."""
    return [each for each in protections if each.name in ESSENTIAL and each.status != "on"]


def validated(reported: Sequence[Protection]) -> tuple[Protection, ...] | None:
    """Return what the child reports, safe to display; ``None`` if it is not valid."""
    if [each.name for each in reported] != list(NAMES):
        return None
    return tuple(replace(each, detail=sanitize(each.detail, limit=200)) for each in reported)


def require(subject: str, protections: Iterable[Protection]) -> None:
    """Refuse to read a file if an essential protection is not on.

    Raises
    ------
    EnvironmentProblemError
        The reason is ``isolation-unavailable``; it names what is missing.
    """
    lacking = missing(protections)
    if lacking:
        raise EnvironmentProblemError(
            subject,
            expected=f"a process with {', '.join(ESSENTIAL)}",
            found="; ".join(summary(lacking)[1]),
            remedy="Use Linux 5.13 or later with seccomp and Landlock, or don't require isolation.",
            reason="isolation-unavailable",
        )
