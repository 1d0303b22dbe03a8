"""The result of `mnist-tasks check`, as ``--json`` prints it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from mnist_tasks import errors
from mnist_tasks.check_records import Check
from mnist_tasks.errors import Failure, MnistTasksError
from mnist_tasks.verdict import VerdictStatus


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """The result for one model file: a check with its verdict, or an error.

    Attributes
    ----------
    status
        The verdict's status, or ``error``.
    exit_code
        The exit code of ``mnist-tasks check`` for this file alone.
    """

    path: str
    status: VerdictStatus | Literal["error"]
    exit_code: int
    check: Check | None = None
    error: Failure | None = None


@dataclass(frozen=True, kw_only=True)
class CheckResults:
    """One result for each model file, in the order of the command line.

    Attributes
    ----------
    contract
        The file that the contract was read from; ``None`` for the default contract.
    problems
        What failed after the verdicts: files that could not be written.
    """

    contract: str | None
    checks: tuple[CheckResult, ...]
    problems: tuple[Failure, ...] = ()

    @property
    def exit_code(self) -> int:
        """The highest of all verdicts and errors."""
        return max((each.exit_code for each in self.checks), default=0)


def of_check(check: Check) -> CheckResult:
    """Return the result for a file that was checked."""
    code = 0 if check.verdict.passed else errors.CONTRACT_FAILED
    status = check.verdict.status
    return CheckResult(path=check.model.path, status=status, exit_code=code, check=check)


def of_error(path: str, error: MnistTasksError) -> CheckResult:
    """Return the result for a file that could not be checked."""
    failure, code = Failure.of(error), error.exit_code
    return CheckResult(path=path, status="error", exit_code=code, error=failure)


def gather(checks: Iterable[CheckResult], contract: str | None) -> CheckResults:
    """Collect results."""
    return CheckResults(checks=tuple(checks), contract=contract)
