"""The report as Markdown, for a pull request's comment and for CI's step summary."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mnist_tasks.errors import printable
from mnist_tasks.reporting import clause_text, summary, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mnist_tasks.records import RunRecord
    from mnist_tasks.reporting.comparison import Comparison
    from mnist_tasks.reporting.run_view import View
    from mnist_tasks.verdict import Clause

LARGEST_BYTES = 60_000  # GitHub takes comments of up to 65,536 characters
MOST_RUNS = 20
UNKNOWN = "⚠️"
MARKS = {
    "passed": "✅",
    "failed": "❌",
    "inconclusive": UNKNOWN,
    "not measured": UNKNOWN,
    "error": "❌",
}
_SPECIAL = re.compile(r"([\`*_{}\[\]<>()#!|~@&:$]|(?<=www)\.)", re.IGNORECASE)
# GitHub finds people and issues in the text after Markdown is done; a blank of no width parts them.
_REFERENCES = re.compile(r"([@#])")


def run(view: View) -> str:
    """Return a run's report: the most important first, the least important dropped if too long."""
    record = view.record
    return _shortened(
        [
            _verdict(record),
            _figures(record),
            _digits(record),
            _table(
                "Past runs",
                ("run", "recipe", "seed", "parameters", "accuracy", "seconds", "contract"),
                (_run(each) for each in view.everything.records[: -MOST_RUNS - 1 : -1]),
            ),
            _table("Time", ("phase", "seconds"), _seconds(record)),
            _table(
                "Network",
                ("layer", "kind", "output", "parameters", "operations"),
                (
                    (
                        each.name,
                        each.kind,
                        text.shape(each.output_shape),
                        text.count(each.parameters),
                        text.count(each.operations),
                    )
                    for each in summary.layers(record)
                ),
            ),
            *(
                _table(facts.title, ("name", "value"), facts.rows.items())
                for facts in text.origin(record)
            ),
        ]
    )


def compare(comparison: Comparison) -> str:
    """Return runs side by side, differences first."""
    letters = [("", *comparison.letters)]
    ids = ("run", *(record.id for record in comparison.records))
    return _shortened(
        [
            "\n\n".join(
                [
                    f"## {escape(comparison.headline)}",
                    *(escape(pair.words) for pair in comparison.pairs),
                    *(escape(reason) for reason in comparison.unpaired),
                ]
            ),
            _table(
                "How they did",
                letters[0],
                (ids, *((row.name, *row.values) for row in comparison.figures)),
            ),
            _table(
                "What differs",
                letters[0],
                ((row.name, *row.values) for row in comparison.differences),
            ),
        ]
    )


def escape(text: str) -> str:
    """Return text such that Markdown shows it as it is, in one line."""
    return _REFERENCES.sub("\\1\u200b", _SPECIAL.sub(r"\\\1", printable(text, limit=500)))


def _verdict(record: RunRecord) -> str:
    judged = record.check.verdict.clauses if record.check else ()
    table = _table(
        "",
        ("clause", "must be", "was found", "verdict"),
        ((each.name, each.bound, _found(each), _signed(each.status)) for each in judged),
    )
    head = f"## {MARKS.get(summary.standing(record), UNKNOWN)} {text.headline(record)}"
    return "\n\n".join(part for part in (head, escape(text.lead(record)), table) if part)


def _found(clause: Clause) -> str:
    return "; ".join([clause.found, *clause_text.details(clause)])


def _figures(record: RunRecord) -> str:
    rows = ((each.name, each.value, each.note) for each in text.figures(record))
    return _table("Figures", ("", "", ""), rows) + (f"\n\nTo repeat it: {_code(record.command)}")


def _digits(record: RunRecord) -> str:
    metrics = summary.metrics(record)
    if metrics is None:
        return ""
    return _table(
        "What was true (rows), what was said (columns)",
        ("", *map(str, range(10)), "precision", "recall"),
        (
            (
                str(score.digit),
                *map(str, row),
                text.percent(score.precision),
                text.percent(score.recall),
            )
            for score, row in zip(summary.by_digit(metrics), metrics.confusion, strict=True)
        ),
    )


def _run(record: RunRecord) -> Sequence[str]:
    metrics = summary.metrics(record)
    return (
        record.id,
        str(record.recipe.get("name")),
        str(record.seed),
        text.count(record.model.parameters),
        text.percent(metrics.accuracy if metrics else None),
        f"{summary.total_seconds(record):.1f}",
        _signed(summary.standing(record)),
    )


def _seconds(record: RunRecord) -> Iterable[Sequence[str]]:
    return ((phase, f"{seconds:.2f}") for phase, seconds in record.seconds.items())


def _signed(status: str) -> str:
    return f"{MARKS.get(status, UNKNOWN)} {status}"


def _table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(map(escape, row))} |" for row in (columns, *rows)]
    if len(lines) == 1:
        return ""
    lines.insert(1, f"|{'---|' * len(columns)}")
    return "\n".join([*([f"### {title}", ""] if title else []), *lines])


def _code(text: str) -> str:
    """Return a command in a span of code, which no backtick inside can end."""
    shown = printable(text, limit=1_000)
    fence = "`" * (max(map(len, re.findall("`+", shown)), default=0) + 1)
    return f"{fence} {shown} {fence}"


def _shortened(parts: Sequence[str]) -> str:
    """Join the parts, and leave out the last ones until they fit."""
    kept = [part for part in parts if part]
    left_out = "\n\n(Shortened: the page and `--json` have the rest.)"
    text = "\n\n".join(kept)
    while len(text.encode()) > LARGEST_BYTES and len(kept) > 1:
        kept.pop()
        text = "\n\n".join(kept) + left_out
    return text + "\n"
