"""What a clause's numbers say, in words: the same in every table."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mnist_tasks.verdict import Clause

SENTENCES = {
    "passed": "The contract holds",
    "failed": "The contract does not hold",
    "inconclusive": "The contract is inconclusive, and so does not hold",
}


def details(clause: Clause) -> tuple[str, ...]:
    """Return what stands below the value found: errors, interval, and the reason."""
    lines = (errors(clause), interval(clause), reason(clause))
    return tuple(line for line in lines if line)


def errors(clause: Clause) -> str:
    """Return how many images were wrong, and how many may be; empty where images don't count."""
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
    """Return the reason, where what was found doesn't name it already."""
    return clause.reason or "" if clause.errors else ""


def interval(clause: Clause) -> str:
    """Return where the true value lies; empty where that was not asked of this clause."""
    found = clause.interval
    if found is None:
        return ""
    if clause.unit == "share":
        return f"{100 * found.low:.2f}–{found.high:.2%} at {100 * found.confidence:g}%"
    return f"{found.low:+.2f} to {found.high:+.2f} {clause.unit} at {100 * found.confidence:g}%"
