"""Which of many runs to list, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from mnist_tasks.errors import UsageError, printable
from mnist_tasks.listed_runs import ListedRun
from mnist_tasks.reporting import run_summary, statuses

SORTS = ("created", "accuracy", "loss", "parameters", "seconds")


@dataclass(frozen=True, kw_only=True)
class RunFilter:
    """Which runs a listing shows; ``None`` filters nothing.

    Attributes
    ----------
    contract
        ``passed``, ``failed``, ``inconclusive`` or ``unchecked``.
    above
        Accuracy in [0, 1): of the check, or of the sweep if there was no check.
    since
        A date or a time in ISO 8601, in UTC unless it names a zone: ``2026-11-22``.
    sort
        The newest, most accurate, smallest or fastest come first; unmeasured runs come last.
    most
        How many runs to show; 0 shows all.

    Raises
    ------
    UsageError
        `sort`, `contract`, `above` or `since` is invalid.
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
            _one_of("--contract", self.contract, statuses.OF_RUNS)
        if self.above is not None and not 0 <= self.above < 1:
            raise UsageError(
                "--above",
                expected="a number of at least 0, below 1: 0.95 is 95%",
                found=str(self.above),
            )
        if self.since is not None and _time(self.since) is None:
            expected = "a date such as 2026-11-22"
            raise UsageError("--since", expected=expected, found=printable(self.since))


def select(runs: Sequence[ListedRun], wanted: RunFilter) -> tuple[ListedRun, ...]:
    """Return the runs that pass every filter, in order; `runs` are sorted by time."""
    start = _time(wanted.since)
    kept = [run for run in runs if _passes(run, wanted, start)]
    if wanted.sort == "created":
        kept.reverse()
    else:
        kept.sort(key=lambda run: _rank(run, wanted.sort))
    if wanted.reverse:
        kept.reverse()
    return tuple(kept[: wanted.most or None])


def _passes(run: ListedRun, wanted: RunFilter, start: datetime | None) -> bool:
    if start is not None:
        created = _time(run.created)
        if created is None or created < start:
            return False
    return (
        wanted.recipe in (None, run.recipe)
        and wanted.contract in (None, run_summary.status(run))
        and (wanted.above is None or (run.accuracy is not None and run.accuracy > wanted.above))
    )


def _rank(run: ListedRun, sort: str) -> float:
    """Return a number that is lower for a better run."""
    if sort == "parameters":
        return run.parameters
    if sort == "seconds":
        return run.seconds
    value = run.loss if sort == "loss" else run.accuracy
    if value is None:
        return float("inf")
    return value if sort == "loss" else -value


def _time(text: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _one_of(option: str, found: str, known: Sequence[str]) -> None:
    if found not in known:
        raise UsageError(option, expected=f"one of {', '.join(known)}", found=printable(found))
