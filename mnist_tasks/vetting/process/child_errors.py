"""What went wrong with the child process, as an error that blames the file or the machine."""

from __future__ import annotations

import os
import signal
import sys
from typing import IO

from mnist_tasks import install
from mnist_tasks.errors import EnvironmentProblemError, InputRefusedError, MnistTasksError
from mnist_tasks.vetting import protocol
from mnist_tasks.vetting.limits import Limits
from mnist_tasks.vetting.outcomes import REMEDIES
from mnist_tasks.vetting.untrusted_text import sanitize

#: What the child may report instead of a result.
Report = protocol.Refused | protocol.EnvironmentProblem | protocol.BrokenLibrary

_LIBRARIES = "Run `mnist-tasks doctor`, which starts this process, too, and says what to fix."
_AGAIN = "Rerun. If it happens again with this file only, don't use the file."
# In these stages the child does the same for every file.
_SAME_FOR_ALL = {"start", "import"}
# Nothing in the child sends these: another process did, or the system's out-of-memory killer.
_FROM_OUTSIDE = {"SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGKILL"}


def reported(message: Report, file_name: str) -> MnistTasksError:
    """Return what the child reports as an error."""
    match message:
        case protocol.Refused():
            expected, remedy = message.expected, message.remedy
            return InputRefusedError(
                file_name,
                found=sanitize(message.found, limit=300),
                expected=sanitize(expected, limit=200) if expected else None,
                remedy=sanitize(remedy, limit=300) if remedy else REMEDIES[message.outcome],
                reason=message.outcome,
            )
        case protocol.EnvironmentProblem():
            return EnvironmentProblemError(
                file_name,
                found=sanitize(message.found, limit=300),
                remedy="Free memory and disk space, then rerun.",
            )
        case protocol.BrokenLibrary():
            return install.broken_library(
                sanitize(message.name),
                found=sanitize(message.found, limit=300),
                is_missing=message.missing,
            )


def not_started(error: OSError) -> EnvironmentProblemError:
    """Return the error for a child that the system did not start."""
    return EnvironmentProblemError(
        sys.executable or "Python",
        expected="a Python that can be started",
        found=error.strerror or str(error),
        remedy="Close other programs, or repair this Python, then rerun.",
        reason="process-not-started",
    )


def invalid_result(file_name: str) -> InputRefusedError:
    """Return the error for a child that sent an invalid message."""
    return InputRefusedError(
        file_name,
        found="the vetting process did not return a valid result",
        remedy=REMEDIES["model-can-run-code"],
        reason="model-can-run-code",
    )


def timed_out(
    file_name: str, stage: protocol.StageName, seconds: float, *, in_total: bool
) -> MnistTasksError:
    """Return the error for a child that had `seconds`, for one stage or in total."""
    if in_total:
        found = f"the vetting process did not end within {seconds:.0f} s, in stage '{stage}'"
    else:
        found = f"stage '{stage}' did not finish within {seconds:.0f} s"
    if stage == "vet":
        return InputRefusedError(
            file_name,
            expected="a file that is vetted in time",
            found=found,
            remedy=REMEDIES["model-unreadable"],
            reason="model-unreadable",
        )
    remedy = "Rerun on a machine that is less busy."
    if stage not in _SAME_FOR_ALL:
        remedy += " If that does not help, the model takes too much time."
    return EnvironmentProblemError(file_name, found=found, remedy=remedy, reason="time-limit")


def died(
    file_name: str, stage: protocol.StageName, code: int, limits: Limits, stderr: IO[bytes]
) -> MnistTasksError:
    """Return the error for a child that ended without a result.

    Parameters
    ----------
    code
        Exit code, or the negative number of a signal.
    stderr
        What it printed there.
    """
    ended_by = _signal_name(-code) if code < 0 else None
    last = last_line(stderr)
    found = f"the vetting process ended in stage '{stage}' with "
    found += f"signal {ended_by}" if ended_by else f"code {code}"
    found += f" ({last})" if last else ""
    if ended_by == "SIGKILL":
        return EnvironmentProblemError(
            file_name,
            found=f"{found}: another process killed it, or the system, short of memory",
            remedy="Free memory, or give the container more, then rerun.",
            reason="process-killed",
        )
    if ended_by in _FROM_OUTSIDE:
        return EnvironmentProblemError(
            file_name, found=found, remedy="Rerun.", reason="process-killed"
        )
    if ended_by == "SIGXCPU" and stage not in _SAME_FOR_ALL:
        in_vet = stage == "vet"
        seconds = limits.vet_cpu_seconds if in_vet else limits.cpu_seconds
        return InputRefusedError(
            file_name,
            expected=f"at most {seconds} s of processor time",
            found=f"stage '{stage}' takes too much processor time",
            remedy="Simplify the model, or rerun on a faster machine.",
            reason="model-unreadable" if in_vet else "model-unsupported",
        )
    if stage == "vet":
        return InputRefusedError(
            file_name,
            expected="a file that HDF5 can read",
            found=found,
            remedy="Don't open this file unless you trust its source: reading it fails in HDF5.",
            reason="model-unreadable",
        )
    if ended_by == "SIGXCPU":
        return EnvironmentProblemError(
            file_name,
            expected=f"at most {limits.import_cpu_seconds} s of processor time",
            found=found,
            remedy=_AGAIN,
            reason="time-limit",
        )
    remedy = _LIBRARIES if stage in _SAME_FOR_ALL else _AGAIN
    return EnvironmentProblemError(file_name, found=found, remedy=remedy, reason="process-died")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return str(number)


def last_line(file: IO[bytes]) -> str:
    """Return the last line that a library printed, as printable ASCII."""
    file.seek(max(0, file.seek(0, os.SEEK_END) - 2000))
    lines = file.read(2000).decode("ascii", "backslashreplace").split("\n")
    return next((sanitize(line.strip(), limit=120) for line in reversed(lines) if line.strip()), "")
