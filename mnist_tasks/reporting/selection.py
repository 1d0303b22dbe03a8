"""Which of many runs to list, and in which order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from mnist_tasks.errors import UsageError, printable
from mnist_tasks.reporting import summary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mnist_tasks.records import RunRecord

SORTS = ("created", "accuracy", "loss", "parameters", "seconds")
BEST_LAST = ("created", "accuracy")  # larger is later, or better
STANDINGS = ("passed", "failed", "inconclusive", "unchecked")


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What a listing is to show. What is ``None`` is no filter.

    Attributes
    ----------
    contract
        ``passed``, ``failed``, ``inconclusive`` or ``unchecked``.
    above
        Accuracy, in [0, 1]: of the check, or of the sweep where there was none.
    since
        A date or a time in ISO 8601: ``2026-11-22``; UTC where it names no zone.
    sort
        The newest, most accurate, smallest or fastest come first; what was not measured, last.
    most
        How many to show; 0 shows all.

    Raises
    ------
    UsageError
        There is no such order, verdict, share or date.
    """

    recipe: str | None = None
    contract: str | None = None
    above: float | None = None
    since: str | None = None
    sort: str = "created"
    reverse: bool = False
    most: int = 0

    def __post_init__(self) -> None:
        _one_of("--sort", self.sort, SORTS)
        if self.contract is not None:
            _one_of("--contract", self.contract, STANDINGS)
        if self.above is not None and not 0 <= self.above < 1:
            raise UsageError("--above", expected="a share from 0, below 1", found=str(self.above))
        if self.since is not None and self.start is None:
            raise UsageError(
                "--since", expected="a date such as 2026-11-22", found=printable(self.since)
            )

    @cached_property
    def start(self) -> datetime | None:
        """The moment that `since` names; ``None`` where it names none."""
        return None if self.since is None else _moment(self.since)


def select(records: Sequence[RunRecord], wanted: Selection) -> tuple[RunRecord, ...]:
    """Return the records that pass every filter, in order."""
    kept = [record for record in records if _passes(record, wanted)]
    sign = -1 if wanted.sort in BEST_LAST else 1
    if wanted.sort == "created":
        kept.sort(key=lambda record: (record.created, record.id), reverse=True)
    else:
        kept.sort(key=lambda record: sign * _value(record, wanted.sort, sign))
    if wanted.reverse:
        kept.reverse()
    return tuple(kept[: wanted.most or None])


def _passes(record: RunRecord, wanted: Selection) -> bool:
    metrics, _ = summary.judged(record)
    standing = summary.standing(record)
    return (
        wanted.recipe in (None, record.recipe.get("name"))
        and wanted.contract in (None, "unchecked" if standing == summary.UNCHECKED else standing)
        and (wanted.above is None or (metrics is not None and metrics.accuracy > wanted.above))
        and (wanted.start is None or _is_since(record.created, wanted.start))
    )


def _value(record: RunRecord, sort: str, sign: int) -> float:
    metrics, _ = summary.judged(record)
    if sort == "parameters":
        return record.model.parameters
    if sort == "seconds":
        return summary.total_seconds(record)
    if metrics is None:
        return sign * float("inf")
    return metrics.accuracy if sort == "accuracy" else metrics.loss


def _moment(text: str) -> datetime | None:
    """Read a date or a time in ISO 8601, in UTC where it names no zone; ``None`` if it is none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _is_since(created: str, start: datetime) -> bool:
    made = _moment(created)
    return made is not None and made >= start


def _one_of(option: str, found: str, known: Sequence[str]) -> None:
    if found not in known:
        raise UsageError(option, expected=f"one of {', '.join(known)}", found=printable(found))
