"""The result of `mnist-tasks check`: the document that ``--json`` prints.

`SCHEMA` increases when a field is removed or changes its meaning, but not for new fields.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from mnist_tasks import errors
from mnist_tasks.errors import Failure, MnistTasksError
from mnist_tasks.records import Check
from mnist_tasks.verdict import VerdictStatus

SCHEMA = 2


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
    exit_code
        The highest of all.
    contract
        The file that the contract was read from; ``None`` for the default contract.
    """

    schema: int = SCHEMA
    exit_code: int
    contract: str | None
    checks: tuple[CheckResult, ...]


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
    """Collect results, with the highest exit code of all."""
    found = tuple(checks)
    worst = max((each.exit_code for each in found), default=0)
    return CheckResults(checks=found, exit_code=worst, contract=contract)
