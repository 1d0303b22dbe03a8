"""The page: one self-contained HTML file, of which every word from a record shows as text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
from markupsafe import Markup

import mnist_tasks
from mnist_tasks.errors import printable
from mnist_tasks.reporting import clause_text, summary, text
from mnist_tasks.reporting.figures import charts, images, pareto_charts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mnist_tasks.records import RunRecord
    from mnist_tasks.reporting.comparison import Comparison
    from mnist_tasks.reporting.figures.charts import Chart
    from mnist_tasks.reporting.run_view import View

TEMPLATES = Path(__file__).parent / "templates"
LONGEST_TEXT = 4_000
SECTIONS = (
    ("verdict", "Verdict"),
    ("training", "Training"),
    ("digits", "Digit by digit"),
    ("mistakes", "Mistakes"),
    ("calibration", "Calibration"),
    ("time", "Time"),
    ("network", "Network"),
    ("origin", "How to repeat it"),
    ("runs", "All runs"),
)
COMPARISON_SECTIONS = (
    ("settings", "What differs"),
    ("figures", "How they did"),
    ("images", "Broken and mended"),
    ("runs", "Among all runs"),
)


def run(view: View) -> str:
    """Return the page of one run."""
    record, metrics = view.record, summary.metrics(view.record)
    return _render(
        "run.html.jinja",
        sections=SECTIONS,
        view=view,
        record=record,
        everything=view.everything,
        standing=summary.standing(record),
        headline=text.headline(record),
        lead=text.lead(record),
        figures=text.figures(record),
        curves=[charts.loss(record), charts.accuracy(record)] if record.curve else [],
        scores=summary.by_digit(metrics) if metrics else (),
        reliability=charts.reliability(view.calibration),
        calibration_error=view.calibration_error,
        layers=summary.layers(record),
        operations=summary.operations(record),
        filters=_filters(record),
        origin=text.origin(record),
        ledger_charts=_ledger_charts(view.everything.records, {record.id}),
    )


def compare(comparison: Comparison) -> str:
    """Return the page of several runs side by side."""
    everything = comparison.views[0].everything.records
    these = {record.id for record in comparison.records}
    return _render(
        "comparison.html.jinja",
        sections=COMPARISON_SECTIONS,
        comparison=comparison,
        ledger_charts=_ledger_charts(everything, these),
    )


def _render(template: str, **context: Any) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_plain,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "count": text.count,
        "digit": lambda image: Markup(images.digit(image)),  # noqa: S704
        "path": lambda chart, line: Markup(chart.path(line)),  # noqa: S704
        "metrics": summary.metrics,
        "moment": text.moment,
        "most_mistaken": summary.most_mistaken,
        "percent": text.percent,
        "details": clause_text.details,
        "seconds": summary.total_seconds,
        "shape": text.shape,
        "standing": summary.standing,
    }
    # Nothing of these is a record's text: the package's own style sheet, pictures and numbers.
    style = Markup((TEMPLATES / "style.css").read_text(encoding="utf-8"))  # noqa: S704
    version = mnist_tasks.__version__
    return environment.get_template(template).render(style=style, version=version, **context)


def _plain(value: Any) -> Any:
    """Make all text fit to be shown, whatever it came from; jinja then escapes it."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return printable(value, limit=LONGEST_TEXT)
    return value


def _ledger_charts(records: Sequence[RunRecord], these: set[str]) -> list[Chart]:
    drawn = (
        pareto_charts.by_parameters(records, these),
        pareto_charts.by_seconds(records, these),
    )
    return [chart for chart in drawn if chart]


def _filters(record: RunRecord) -> list[Markup]:
    largest = max((abs(w) for square in record.filters for row in square for w in row), default=0)
    return [
        Markup(images.weights(square, largest or 1.0))  # noqa: S704
        for square in record.filters
    ]
