"""The charts of a run: which points they draw, and where."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from mnist_tasks.reporting import run_summary
from mnist_tasks.reporting.figures import run_charts
from tests import examples

if TYPE_CHECKING:
    from mnist_tasks.reporting.figures.chart import Chart, Line
    from mnist_tasks.reporting.run_view import RunView


def back(chart: Chart, line: Line) -> list[tuple[float, float]]:
    """Return the points of a path."""
    pairs = re.findall(r"[ML](\S+) ([^L]+)", chart.path(line))
    return [(float(x), float(y)) for x, y in pairs]


def test_a_curve_is_split_at_the_end_of_each_epoch(view: RunView) -> None:
    record = view.record
    chart = run_charts.loss(record)
    assert chart is not None
    lines = [line for line in chart.lines if line.kind == "train"]
    points = [point for line in lines for point in line.points]
    assert points == [(point.step, point.loss) for point in record.curve]
    assert [len(line.points) for line in lines] == [10, 10]
    drawn = back(chart, lines[0])
    assert drawn[0] == (chart.x_at(1), chart.y_at(1.5))
    assert len(drawn) == 10


@pytest.mark.parametrize("make", [run_charts.loss, run_charts.accuracy])
def test_the_test_images_have_a_line_of_their_own(view: RunView, make: object) -> None:
    chart = make(view.record)  # type: ignore[operator]
    metrics = run_summary.metrics(view.record)
    assert metrics is not None
    (line,) = (line for line in chart.lines if line.kind == "test")
    value = metrics.loss if make is run_charts.loss else metrics.accuracy
    assert {y for _, y in line.points} == {value}
    assert line.label[5:9] in chart.description


def test_an_unchecked_run_has_only_training_curves() -> None:
    chart = run_charts.loss(examples.run())
    assert chart is not None
    assert {line.kind for line in chart.lines} == {"train"}


def test_without_data_there_is_no_chart() -> None:
    without = replace(examples.run(), curve=())
    assert run_charts.loss(without) is run_charts.accuracy(without) is None
    assert run_charts.reliability(None) is None


def test_reliability_has_a_mark_for_each_bin(view: RunView) -> None:
    assert view.predictions is not None
    chart = run_charts.reliability(view.predictions)
    assert chart is not None
    assert [(mark.x, mark.y) for mark in chart.marks] == [
        (each.confidence, each.accuracy) for each in view.predictions.calibration
    ]
    first = chart.marks[0]
    assert chart.x_at(first.x) == pytest.approx(46 + 360 * first.x, abs=0.1)
    assert chart.y_at(first.y) == pytest.approx(216 - 202 * first.y, abs=0.1)


@pytest.mark.parametrize("make", [run_charts.loss, run_charts.accuracy])
def test_validation_results_are_a_line_with_a_mark_for_each_epoch(
    view: RunView, make: object
) -> None:
    first, second = view.record.epochs
    epochs = (
        replace(first, validation_loss=0.5, validation_accuracy=0.85),
        replace(second, validation_loss=0.4, validation_accuracy=0.99),
    )
    chart = make(replace(view.record, epochs=epochs))  # type: ignore[operator]
    (line,) = (line for line in chart.lines if line.kind == "validation")
    values = (0.5, 0.4) if make is run_charts.loss else (0.85, 0.99)
    assert line.points == ((10, values[0]), (20, values[1]))
    assert [(mark.x, mark.y) for mark in chart.marks] == list(line.points)
    assert all(chart.y.low <= value <= chart.y.high for value in values)
    (test,) = (line for line in chart.lines if line.kind == "test")
    assert line.below != test.below
    name = "loss" if make is run_charts.loss else "accuracy"
    assert f"; validation {name} {line.label.split()[-1]}; test {name}" in chart.description
