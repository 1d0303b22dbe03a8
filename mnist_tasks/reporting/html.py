"""The page: one self-contained HTML file in which every word from a record is plain text."""

from __future__ import annotations

from collections.abc import Sequence

from mnist_tasks import listed_runs
from mnist_tasks.dataset_info import MNIST
from mnist_tasks.predicting.predictor import PredictedPicture, Predictor
from mnist_tasks.records import RunRecord
from mnist_tasks.reporting import (
    gallery,
    ranking_rows,
    rendering,
    run_summary,
)
from mnist_tasks.reporting.comparison import Comparison, Shown
from mnist_tasks.reporting.figures import (
    images,
    pareto_charts,
    run_charts,
    run_curves,
    sweep_charts,
)
from mnist_tasks.reporting.figures.chart import Chart
from mnist_tasks.reporting.gallery import Gallery
from mnist_tasks.reporting.run_view import RunView
from mnist_tasks.reporting.sweep_view import SweepView

LARGEST_PAGE = 600_000  # bytes of the page of a run, unless its text alone takes more
NEWEST_RUNS = 12
MOST_SETTINGS, MOST_RUNS = 100, 500  # in the tables of a sweep
SWEEP_CHARTS = (sweep_charts.by_parameters, sweep_charts.by_seconds)
PARETO_CHARTS = (pareto_charts.by_parameters, pareto_charts.by_seconds)
SECTIONS = {
    "verdict": "Verdict",
    "training": "Training",
    "classes": "Classes",
    "errors": "Images",
    "calibration": "Calibration",
    "time": "Time",
    "network": "Network",
    "reproduce": "Reproduce",
    "runs": "All runs",
}
PREDICTION_SECTIONS = {"predictions": "Predictions", "problems": "Not predicted"}
COMPARISON_SECTIONS = {
    "settings": "Differences",
    "results": "Results",
    "curves": "Training curves",
    "images": "Regressed and fixed",
    "runs": "All runs",
}
SWEEP_SECTIONS = {
    "ranking": "Ranking",
    "accuracy": "Accuracy",
    "curves": "Training curves",
    "failed": "Failed runs",
    "runs": "Runs",
    "reproduce": "Reproduce",
}


def page(shown: Shown) -> str:
    """Return the page of a report: of one run, of several side by side, or of a sweep."""
    match shown:
        case RunView():
            return run(shown)
        case Comparison():
            return compare(shown)
        case SweepView():
            return sweep(shown)


def run(view: RunView) -> str:
    """Return the page of one run, with as many of the wrong images as its size allows."""
    found = view.predictions
    charts = _charts(view)
    if found is None:
        return _run(view, charts)
    galleries = {
        "least_certain": gallery.of(found.least_certain_correct, found.images),
        "typical": gallery.of(found.typical_correct, found.images),
    }
    page = _run(view, charts, **galleries)
    if not found.wrong:
        return page
    left = LARGEST_PAGE - len(page.encode())
    classes = run_summary.dataset(view.record).classes
    wrong = gallery.within(left, found.wrong, found.images, classes)
    return _run(view, charts, wrong=wrong, **galleries)


def _charts(view: RunView) -> dict[str, Sequence[Chart | None]]:
    record = view.record
    return {
        "training": (run_charts.loss(record), run_charts.accuracy(record)),
        "calibration": (run_charts.reliability(view.predictions),),
        "runs": [chart(view.alike, {record.id}) for chart in PARETO_CHARTS],
    }


def _run(view: RunView, charts: dict[str, Sequence[Chart | None]], **galleries: Gallery) -> str:
    record = view.record
    absent = set() if view.has_others else {"runs"}
    absent |= set() if record.epochs else {"training", "time", "reproduce"}
    return rendering.render(
        "run.html.jinja",
        sections=_without(SECTIONS, absent),
        view=view,
        record=record,
        charts=charts,
        newest=view.stored_runs.runs[: -NEWEST_RUNS - 1 : -1],
        filters=_filters(record),
        galleries={"wrong": Gallery(), "least_certain": Gallery(), "typical": Gallery()}
        | galleries,
    )


def compare(comparison: Comparison) -> str:
    """Return the page of several runs side by side."""
    alike = comparison.views[0].alike
    current = {record.id for record in comparison.records}
    curves = run_curves.charts(comparison.curves)
    absent = set() if curves else {"curves"}
    return rendering.render(
        "comparison.html.jinja",
        sections=_without(COMPARISON_SECTIONS, absent),
        comparison=comparison,
        charts={
            "curves": curves,
            "runs": [chart(alike, current) for chart in PARETO_CHARTS],
        },
        compared=[listed_runs.of(record) for record in comparison.records],
    )


def sweep(view: SweepView) -> str:
    """Return the page of a sweep."""
    found, evaluated_on = view.sweep, view.sweep.evaluated_on
    curves = run_curves.charts(view.curves)
    accuracy = sweep_charts.by_setting(found.ranking, found.by_name, evaluated_on)
    cost = [chart(found.ranking, evaluated_on) for chart in SWEEP_CHARTS]
    absent = set() if found.failed or found.skipped else {"failed"}
    absent |= set() if curves else {"curves"}
    absent |= set() if found.records else set(SWEEP_SECTIONS) - {"failed"}
    return rendering.render(
        "sweep.html.jinja",
        sections=_without(SWEEP_SECTIONS, absent),
        view=view,
        columns=ranking_rows.COLUMNS,
        ranking=ranking_rows.rows(found.ranking),
        charts={
            "accuracy": [accuracy],
            "cost": [each for each in cost if each],
            "curves": curves,
        },
        most=MOST_SETTINGS,
        most_runs=MOST_RUNS,
    )


def predictions(predictor: Predictor, found: Sequence[PredictedPicture]) -> str:
    """Return the page of predictions for pictures, and of the errors of others."""
    predicted = [each for each in found if each.prediction]
    problems = [each for each in found if each.error]
    absent = set() if predicted else {"predictions"}
    absent |= set() if problems else {"problems"}
    return rendering.render(
        "predictions.html.jinja",
        sections=_without(PREDICTION_SECTIONS, absent),
        predictor=predictor,
        digits=predictor.info == MNIST,
        predicted=predicted,
        problems=problems,
    )


def _without(sections: dict[str, str], absent: set[str]) -> dict[str, str]:
    return {name: title for name, title in sections.items() if name not in absent}


def _filters(record: RunRecord) -> list[str]:
    largest = max((abs(w) for square in record.filters for row in square for w in row), default=0)
    return [images.weights(square, largest or 1.0) for square in record.filters]
