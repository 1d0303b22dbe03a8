"""The outcome of a check as Markdown, for a pull request or the summary of a CI job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mnist_tasks.reporting import clause_text
from mnist_tasks.reporting.markdown import MARKS, escape

if TYPE_CHECKING:
    from mnist_tasks.checking.results import CheckResult, CheckResults
    from mnist_tasks.errors import Failure
    from mnist_tasks.verdict import Verdict

COLUMNS = ("clause", "bound", "found", "errors", "interval", "verdict")


def document(results: CheckResults) -> str:
    """Return a section for each model file."""
    source = escape(results.contract or "the default")
    sections = [f"# mnist-tasks check\n\nContract: {source}\n"]
    sections += [_section(outcome) for outcome in results.checks]
    return "\n".join(sections)


def table(verdict: Verdict) -> str:
    """Return each clause with its bound, what was found, and its verdict."""
    rows = [
        (
            escape(clause.name),
            escape(clause.bound),
            "; ".join(map(escape, filter(None, (clause.found, clause_text.reason(clause))))),
            escape(clause_text.errors(clause)),
            escape(clause_text.interval(clause)),
            f"{MARKS[clause.status]} {clause.status}",
        )
        for clause in verdict.clauses
    ]
    lines = [COLUMNS, ("---",) * len(COLUMNS), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _section(outcome: CheckResult) -> str:
    title = f"## {MARKS[outcome.status]} {escape(outcome.path)}\n\n"
    if outcome.check is not None:
        verdict = outcome.check.verdict
        return f"{title}{clause_text.SENTENCES[verdict.status]}.\n\n{table(verdict)}"
    return title + (_error(outcome.error) if outcome.error else "")


def _error(error: Failure) -> str:
    parts = {
        "looked at": error.subject,
        "expected": error.expected,
        "found": error.found,
        "what to do": error.remedy,
    }
    lines = [f"- {name}: {escape(value)}" for name, value in parts.items() if value]
    return "\n".join([f"{error.title}.\n", *lines]) + "\n"
