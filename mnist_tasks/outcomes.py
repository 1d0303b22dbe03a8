"""What `mnist-tasks check` tells of the model files that it was given.

`Outcomes` is the document that ``--json`` prints. Its `schema` grows when a field changes its
meaning or goes; a new field may come at any time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from mnist_tasks.records import Check  # noqa: TC001 - msgspec reads the annotations

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mnist_tasks.errors import MnistTasksError

SCHEMA = 1


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why there is no verdict, in the parts that `errors.MnistTasksError` has."""

    title: str
    subject: str
    found: str
    expected: str | None = None
    remedy: str | None = None

    @classmethod
    def of(cls, error: MnistTasksError) -> Failure:
        """Return an error as what can be sent and written."""
        return cls(
            title=error.title,
            subject=error.subject,
            expected=error.expected,
            found=error.found,
            remedy=error.remedy,
        )


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one model file: a check with its verdict, or an error.

    Attributes
    ----------
    status
        The verdict's, or ``error``.
    exit_code
        That of ``mnist-tasks check`` for this file alone.
    """

    path: str
    status: Literal["holds", "broken", "inconclusive", "error"]
    exit_code: int
    check: Check | None = None
    error: Failure | None = None


@dataclass(frozen=True, kw_only=True)
class Outcomes:
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
    checks: tuple[Outcome, ...]


def gather(checks: Iterable[Outcome], contract: str | None) -> Outcomes:
    """Put the outcomes together, with the worst exit code of all."""
    found = tuple(checks)
    worst = max((each.exit_code for each in found), default=0)
    return Outcomes(checks=found, exit_code=worst, contract=contract)
