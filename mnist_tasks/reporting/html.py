"""The page: one self-contained HTML file in which every word from a record is plain text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from mnist_tasks import listed_runs
from mnist_tasks.errors import printable
from mnist_tasks.records import RunRecord
from mnist_tasks.reporting import class_tables, clause_text, formatting, run_summary, run_text
from mnist_tasks.reporting.comparison import Comparison
from mnist_tasks.reporting.figures import images, pareto_charts, run_charts
from mnist_tasks.reporting.run_view import RunView
from mnist_tasks.reporting.statuses import STATUSES
from mnist_tasks.version import VERSION

TEMPLATES = Path(__file__).parent / "templates"
LONGEST_TEXT = 4_000
NEWEST_RUNS = 12
PARETO_CHARTS = (pareto_charts.by_parameters, pareto_charts.by_seconds)
SECTIONS = {
    "verdict": "Verdict",
    "training": "Training",
    "classes": "Classes",
    "errors": "Errors",
    "calibration": "Calibration",
    "time": "Time",
    "network": "Network",
    "reproduce": "Reproduce",
    "runs": "All runs",
}
COMPARISON_SECTIONS = {
    "settings": "Differences",
    "results": "Results",
    "images": "Regressed and fixed",
    "runs": "All runs",
}


def run(view: RunView) -> str:
    """Return the page of one run."""
    record = view.record
    absent = set() if view.stored_runs.runs else {"runs"}
    absent |= set() if record.epochs else {"training", "time", "reproduce"}
    return _render(
        "run.html.jinja",
        sections={name: title for name, title in SECTIONS.items() if name not in absent},
        view=view,
        record=record,
        charts={
            "training": (run_charts.loss(record), run_charts.accuracy(record)),
            "calibration": (run_charts.reliability(view.predictions),),
            "runs": [chart(view.alike, {record.id}) for chart in PARETO_CHARTS],
        },
        newest=view.stored_runs.runs[: -NEWEST_RUNS - 1 : -1],
        filters=_filters(record),
    )


def compare(comparison: Comparison) -> str:
    """Return the page of several runs side by side."""
    alike = comparison.views[0].alike
    current = {record.id for record in comparison.records}
    return _render(
        "comparison.html.jinja",
        sections=COMPARISON_SECTIONS,
        comparison=comparison,
        charts={"runs": [chart(alike, current) for chart in PARETO_CHARTS]},
        compared=[listed_runs.of(record) for record in comparison.records],
    )


def _render(template: str, **context: Any) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "count": formatting.count,
        "date_time": formatting.date_time,
        "details": clause_text.details,
        "percent": formatting.percent,
        "lines": _lines,
        "photo": images.photo,
        "shape": formatting.shape,
        "speed": formatting.speed,
    }
    environment.globals |= {
        "classes": class_tables,
        "statuses": STATUSES,
        "summary": run_summary,
        "text": run_text,
    }
    # The style sheet is the package's own, and no text from a record.
    style = Markup((TEMPLATES / "style.css").read_text(encoding="utf-8"))  # noqa: S704
    return environment.get_template(template).render(style=style, version=VERSION, **context)


def _printable(value: Any) -> Any:
    """Remove control characters from every text, which jinja then escapes."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return printable(value, limit=LONGEST_TEXT)
    return value


def _lines(text: str) -> Markup:
    """Return text with its line ends, which `_printable` would replace."""
    return Markup("\n").join(
        "".join(each if each.isprintable() else " " for each in line)
        for line in text.expandtabs(4).splitlines()
    )


def _filters(record: RunRecord) -> list[str]:
    largest = max((abs(w) for square in record.filters for row in square for w in row), default=0)
    return [images.weights(square, largest or 1.0) for square in record.filters]
