"""Checks and reports as Markdown, for a pull request's comment and the summary of a CI job."""

from __future__ import annotations

from collections.abc import Sequence

from mnist_tasks import errors
from mnist_tasks.check_records import Metrics
from mnist_tasks.checking.results import CheckResult, CheckResults, SelfTest
from mnist_tasks.errors import Failure
from mnist_tasks.listed_runs import ListedRun
from mnist_tasks.records import RunRecord
from mnist_tasks.reporting import (
    class_tables,
    clause_text,
    formatting,
    looks_text,
    ranking_rows,
    run_summary,
    run_text,
    self_test_text,
)
from mnist_tasks.reporting.comparison import Comparison, Shown
from mnist_tasks.reporting.markdown_text import code, escape, table
from mnist_tasks.reporting.run_view import RunView
from mnist_tasks.reporting.side_by_side import Row
from mnist_tasks.reporting.statuses import STATUSES
from mnist_tasks.reporting.sweep_view import SweepView
from mnist_tasks.verdict import Verdict

LARGEST_BYTES = 60_000  # GitHub accepts comments of up to 65,536 characters
MOST_RUNS = 20


def check(results: CheckResults) -> str:
    """Return a section for each model file: first those that did not pass, as not all may fit."""
    models = sorted(results.checks, key=lambda each: each.status == "passed")
    parts = ["# mnist-tasks check", _contract(results.contract), *map(_checked, models)]
    return _shortened(parts, "`--json` has")


def report(shown: Shown) -> str:
    """Return a report: of one run, of several side by side, or of a sweep."""
    match shown:
        case RunView():
            return run(shown)
        case Comparison():
            return compare(shown)
        case SweepView():
            return sweep(shown)


def run(view: RunView) -> str:
    """Return a run's report, the most important first; what does not fit is left out."""
    record = view.record
    check = record.check
    verdict = f"{_contract(check.contract)}\n\n{_verdict(check.verdict)}" if check else ""
    emoji = STATUSES[run_summary.status(record)].emoji
    newest = view.stored_runs.runs[: -MOST_RUNS - 1 : -1]
    return _shortened(
        [
            f"## {emoji} {run_text.headline(record)}",
            escape(run_text.lead(record)),
            escape(view.note),
            verdict,
            looks_text.sentences(view.looks),
            _figures(record),
            _classes(record),
            _past(newest) if view.has_others else "",
            table(
                "Time",
                ("phase", "seconds"),
                [
                    (phase, formatting.seconds(seconds, 2))
                    for phase, seconds in record.seconds.items()
                ],
            ),
            table(
                "Network",
                ("layer", "kind", "output", "parameters", "operations"),
                [
                    (
                        layer.name,
                        layer.kind,
                        formatting.shape(layer.output_shape),
                        formatting.count(layer.parameters),
                        formatting.count(layer.operations),
                    )
                    for layer in run_summary.layers(record)
                ],
            ),
            *(
                table(values.title, ("name", "value"), values.rows.items())
                for values in run_text.provenance(record)
            ),
        ]
    )


def compare(comparison: Comparison) -> str:
    """Return runs side by side."""
    columns = ("", *comparison.letters)
    ids = ("run", *(record.id for record in comparison.records))
    return _shortened(
        [
            f"## {escape(comparison.headline)}",
            *(escape(f"{pair.outcome} {pair.difference}") for pair in comparison.pairs),
            *map(escape, comparison.unpaired),
            looks_text.sentences(comparison.looks),
            table("Results", columns, [ids, *map(_named, comparison.results)]),
            table("Differences", columns, map(_named, comparison.differences)),
            table(comparison.by_epoch[0], columns, map(_named, comparison.by_epoch[1])),
        ]
    )


def sweep(view: SweepView) -> str:
    """Return the ranking of a sweep, and the runs that failed."""
    failed = [
        (each.setting, str(each.seed), each.failure.found, each.failure.remedy or "")
        for each in view.sweep.failed
    ]
    return _shortened(
        [
            f"## {escape(view.headline)}",
            escape(view.lead),
            escape(view.caution),
            looks_text.sentences(view.looks),
            table("Ranking", ranking_rows.COLUMNS, ranking_rows.rows(view.sweep.ranking)),
            table("Failed", ("setting", "seed", "found", "what to do"), failed),
            table("The same in all runs", ("name", "value"), view.common.items()),
        ]
    )


def _checked(result: CheckResult) -> str:
    title = f"## {STATUSES[result.status].emoji} {escape(result.path)}"
    if result.check is not None:
        verdict = result.check.verdict
        libraries = run_text.libraries(result.check)
        by = f"Model: {escape(libraries)}" if libraries else ""
        sentence = f"{STATUSES[verdict.status].sentence}."
        parts = (title, sentence, _verdict(verdict), by, _self_test(result.self_test))
        return "\n\n".join(filter(None, parts))
    return f"{title}\n\n{_error(result.error)}" if result.error else title


def _self_test(found: SelfTest | None) -> str:
    if found is None:
        return ""
    rows = [
        (
            each.fault,
            formatting.percent(each.accuracy),
            each.status,
            self_test_text.reason(each),
        )
        for each in found.models
    ]
    models = table("Self-test", self_test_text.COLUMNS, rows)
    return "\n\n".join((models, *map(escape, self_test_text.conclusions(found))))


def _contract(source: str | None) -> str:
    return f"Contract: {escape(run_text.contract(source))}"


def _verdict(verdict: Verdict) -> str:
    rows = [
        (
            clause.name,
            clause.bound,
            "; ".join(filter(None, (clause.found, clause_text.reason(clause), clause.note))),
            clause_text.errors(clause),
            clause_text.interval(clause),
            _status(clause.status),
        )
        for clause in verdict.clauses
    ]
    return table("", ("clause", "bound", "found", "errors", "interval", "status"), rows)


def _error(error: Failure) -> str:
    lines = [f"- {name}: {escape(text)}" for name, text in errors.rows(error).items()]
    return "\n".join([f"{error.title}.\n", *lines])


def _figures(record: RunRecord) -> str:
    rows = [(each.name, each.value, each.note) for each in run_text.key_figures(record)]
    figures = table("Figures", ("", "", ""), rows)
    if not record.epochs or not record.command:
        return figures
    return f"{figures}\n\nTo reproduce this run: {code(record.command)}"


def _classes(record: RunRecord) -> str:
    metrics, names = run_summary.metrics(record), run_summary.dataset(record).classes
    if metrics is None:
        return ""
    if not class_tables.side_by_side(names):
        return _worst(metrics, names)
    return table(
        "Labels (rows) and predictions (columns)",
        ("", *names, "precision", "recall"),
        [
            (
                score.name,
                *map(formatting.count, row),
                formatting.percent(score.precision),
                formatting.percent(score.recall),
            )
            for score, row in zip(
                run_summary.by_class(metrics, names), metrics.confusion, strict=True
            )
        ],
    )


def _worst(metrics: Metrics, names: Sequence[str]) -> str:
    rows = class_tables.worst_rows(metrics, names)
    return table(class_tables.title(metrics, len(rows)), class_tables.WORST_COLUMNS, rows)


def _past(runs: Sequence[ListedRun]) -> str:
    rows = [row | {"contract": _status(row["contract"])} for row in run_text.rows(runs)]
    columns = tuple(rows[0]) if rows else run_text.RUN_COLUMNS
    return table("Past runs", columns, [tuple(row.values()) for row in rows])


def _named(row: Row) -> Sequence[str]:
    return (row.name, *row.values)


def _status(status: str) -> str:
    return f"{STATUSES[status].emoji} {status}"


def _shortened(parts: Sequence[str], others_have: str = "the page and `--json` have") -> str:
    """Join the parts, and leave out the last ones until the text fits."""
    kept = [part for part in parts if part]
    left_out = f"\n\n(Shortened: {others_have} the rest.)"
    text = "\n\n".join(kept)
    while len(text.encode()) > LARGEST_BYTES and len(kept) > 1:
        kept.pop()
        text = "\n\n".join(kept) + left_out
    return text + "\n"
