"""The outcome of a check as Markdown, for a pull request or the summary of a CI job."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mnist_tasks.errors import printable
from mnist_tasks.reporting import clauses

if TYPE_CHECKING:
    from mnist_tasks.outcomes import Failure, Outcome, Outcomes
    from mnist_tasks.verdict import Verdict

MARKS = {"holds": "✅", "broken": "❌", "inconclusive": "❔", "unmeasured": "❌", "error": "❌"}
COLUMNS = ("clause", "bound", "found", "errors", "interval", "verdict")
# What would otherwise be markup, a mention, mathematics, the end of a cell or a link.
_SPECIAL = re.compile(r"([\\`*_\[\]<&|~$@#]|:(?=//)|(?<=www)\.)", re.IGNORECASE)


def document(outcomes: Outcomes) -> str:
    """Return a section for each model file."""
    source = text(outcomes.contract or "the default")
    sections = [f"# mnist-tasks check\n\nContract: {source}\n"]
    sections += [_section(outcome) for outcome in outcomes.checks]
    return "\n".join(sections)


def table(verdict: Verdict) -> str:
    """Return each clause with its bound, what was found, and its verdict."""
    rows = [
        (
            text(clause.name),
            text(clause.bound),
            text(clause.found),
            text(clauses.errors(clause)),
            text(clauses.interval(clause)),
            f"{MARKS[clause.status]} {clause.status}",
        )
        for clause in verdict.clauses
    ]
    lines = [COLUMNS, ("---",) * len(COLUMNS), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def text(value: str) -> str:
    """Make text show as what it is, whatever characters are in it."""
    return _SPECIAL.sub(r"\\\1", printable(value, limit=1000))


def _section(outcome: Outcome) -> str:
    title = f"## {MARKS[outcome.status]} {text(outcome.path)}\n\n"
    if outcome.check is not None:
        verdict = outcome.check.verdict
        return f"{title}{clauses.SENTENCES[verdict.status]}.\n\n{table(verdict)}"
    return title + (_error(outcome.error) if outcome.error else "")


def _error(error: Failure) -> str:
    parts = {"expected": error.expected, "what to do": error.remedy}
    lines = [f"{error.title}: {text(error.subject)}: {text(error.found)}"]
    lines += [f"- {name}: {text(value)}" for name, value in parts.items() if value]
    return "\n".join(lines[:1] + [""] * (len(lines) > 1) + lines[1:]) + "\n"
