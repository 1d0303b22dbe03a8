"""What `mnist-tasks check` tells of the model files that it was given.

`CheckResults` is the document that ``--json`` prints. Its `schema` grows when a field changes its
meaning or goes; a new field may come at any time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from mnist_tasks.errors import Failure  # noqa: TC001 - msgspec reads the annotations
from mnist_tasks.records import Check  # noqa: TC001 - msgspec reads the annotations

if TYPE_CHECKING:
    from collections.abc import Iterable

SCHEMA = 1


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """What became of one model file: a check with its verdict, or an error.

    Attributes
    ----------
    status
        The verdict's, or ``error``.
    exit_code
        That of ``mnist-tasks check`` for this file alone.
    """

    path: str
    status: Literal["passed", "failed", "inconclusive", "error"]
    exit_code: int
    check: Check | None = None
    error: Failure | None = None


@dataclass(frozen=True, kw_only=True)
class CheckResults:
    """One outcome for each model file, in the order in which they were given.

    Attributes
    ----------
    exit_code
        The worst of all.
    contract
        The file that the contract was read from; ``None`` stands for the four default clauses.
    """

    schema: int = SCHEMA
    exit_code: int
    contract: str | None
    checks: tuple[CheckResult, ...]


def gather(checks: Iterable[CheckResult], contract: str | None) -> CheckResults:
    """Put the outcomes together, with the worst exit code of all."""
    found = tuple(checks)
    worst = max((each.exit_code for each in found), default=0)
    return CheckResults(checks=found, exit_code=worst, contract=contract)
