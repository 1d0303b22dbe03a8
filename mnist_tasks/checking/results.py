"""The result of `mnist-tasks check`, as ``--json`` prints it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from mnist_tasks import errors
from mnist_tasks.check_records import Check
from mnist_tasks.errors import Failure, MnistTasksError
from mnist_tasks.verdict import VerdictStatus

#: Failed, as it should be; let through, as the contract allows; missed, though it must be failed;
#: not planted, as the sound model isn't worse with it.
PlantedStatus = Literal["failed", "let through", "missed", "not planted"]


@dataclass(frozen=True, kw_only=True)
class PlantedModel:
    """A model that is known to be worse, and what the contract made of it.

    Attributes
    ----------
    status
        ``failed``, ``let through`` if the contract allows that loss, ``missed`` if it must fail
        such a model and does not, or ``not planted``.
    accuracy
        On the test images, in [0, 1]; ``None`` without predictions.
    clauses
        Those that the sound model passed, and this one did not.
    note
        What would fail a model that was let through, or why there is none.
    """

    fault: str
    status: PlantedStatus
    accuracy: float | None = None
    clauses: tuple[str, ...] = ()
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class SelfTest:
    """Whether a contract fails models that are known to be worse than one that passes it.

    Attributes
    ----------
    passed
        Whether no planted model was missed.
    accuracy
        That of the sound model on the test images, in [0, 1].
    images
        How many test images there are.
    models
        The planted models.
    untested
        Clauses on the structure of a model, which all planted models share with the sound one.
    idle
        Other clauses that failed no planted model that makes predictions.
    """

    passed: bool
    accuracy: float
    images: int
    models: tuple[PlantedModel, ...]
    untested: tuple[str, ...]
    idle: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """The result for one model file: a check with its verdict, or an error.

    Attributes
    ----------
    status
        The verdict's status, or ``error``.
    exit_code
        The exit code of ``mnist-tasks check`` for this file alone.
    self_test
        With ``--self-test``: whether the contract fails worse models. Only of a model that passed.
    """

    path: str
    status: VerdictStatus | Literal["error"]
    exit_code: int
    check: Check | None = None
    error: Failure | None = None
    self_test: SelfTest | None = None


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


def with_self_test(result: CheckResult, found: SelfTest) -> CheckResult:
    """Return the result for a file whose model was made worse, to test the contract."""
    code = result.exit_code if found.passed else errors.CONTRACT_FAILED
    return replace(result, exit_code=code, self_test=found)


def gather(checks: Iterable[CheckResult], contract: str | None) -> CheckResults:
    """Collect results."""
    return CheckResults(checks=tuple(checks), contract=contract)
