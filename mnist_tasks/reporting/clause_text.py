"""The numbers of a clause in words, the same in every output."""

from __future__ import annotations

from mnist_tasks.reporting.formatting import level, percent_range
from mnist_tasks.verdict import Clause


def details(clause: Clause) -> tuple[str, ...]:
    """Return the lines below the value found: errors, interval, reason and note."""
    lines = (errors(clause), interval(clause), reason(clause), clause.note)
    return tuple(line for line in lines if line)


def errors(clause: Clause) -> str:
    """Return the number of wrong predictions and its limit; empty if the clause counts none."""
    counts = clause.errors
    if counts is None:
        return ""
    seen = f"{counts.seen:,} wrong of {counts.images:,}"
    if counts.allowed is not None:
        return f"{seen}; {counts.allowed:,} allowed"
    if counts.required is not None:
        return f"{seen}; at least {counts.required:,} expected"
    return f"{seen}; too few images for this bound" if clause.unit == "share" else seen


def reason(clause: Clause) -> str:
    """Return the reason for the status, unless the value found already states it."""
    return clause.reason or "" if clause.errors else ""


def interval(clause: Clause) -> str:
    """Return the confidence interval of the value found; empty if the clause has none."""
    found = clause.interval
    if found is None:
        return ""
    if clause.unit == "share":
        return f"{percent_range((found.low, found.high))} at {level(found.confidence)}"
    return f"{found.low:+.2f} to {found.high:+.2f} {clause.unit} at {level(found.confidence)}"
