"""The syntax of Markdown: text that shows as it is, tables, and code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from mnist_tasks.errors import printable

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#!|~@&:$]|(?<=www)\.)", re.IGNORECASE)
# GitHub links people and issues after Markdown is rendered; a zero-width space prevents it.
_REFERENCES = re.compile(r"([@#])")


def escape(text: str) -> str:
    """Return text that Markdown shows unchanged, on one line."""
    return _REFERENCES.sub("\\1\u200b", _SPECIAL.sub(r"\\\1", printable(text, limit=500)))


def code(text: str) -> str:
    """Return a command as a code span that no backtick in it can end."""
    shown = printable(text, limit=1_000)
    fence = "`" * (max(map(len, re.findall("`+", shown)), default=0) + 1)
    return f"{fence} {shown} {fence}"


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table, its text escaped, below a heading if it has a title; empty without rows."""
    lines = [f"| {' | '.join(map(escape, row))} |" for row in (columns, *rows)]
    if len(lines) == 1:
        return ""
    lines.insert(1, f"|{'---|' * len(columns)}")
    return "\n".join([*([f"### {title}", ""] if title else []), *lines])
