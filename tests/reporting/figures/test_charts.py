"""The charts: which points they draw, and where."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mnist_tasks.reporting import summary
from mnist_tasks.reporting.figures import charts, pareto_charts
from tests import examples

if TYPE_CHECKING:
    from mnist_tasks.reporting.figures.charts import Chart, Line
    from mnist_tasks.reporting.run_view import View


def back(chart: Chart, line: Line) -> list[tuple[float, float]]:
    """Read the points of a path, as the shares of the way along each axis."""
    pairs = re.findall(r"[ML](\S+) ([^L]+)", chart.path(line))
    return [(float(x), float(y)) for x, y in pairs]


def test_a_curve_is_cut_at_the_end_of_each_epoch(view: View) -> None:
    record = view.record
    chart = charts.loss(record)
    lines = [line for line in chart.lines if line.kind == "train"]
    points = [point for line in lines for point in line.points]
    assert points == [(point.step, point.loss) for point in record.curve]
    assert [len(line.points) for line in lines] == [10, 10]
    drawn = back(chart, lines[0])
    assert drawn[0] == (chart.x.at(1), chart.y.at(1.5))
    assert len(drawn) == 10


@pytest.mark.parametrize("make", [charts.loss, charts.accuracy])
def test_the_test_images_have_a_line_of_their_own(view: View, make: object) -> None:
    chart = make(view.record)  # type: ignore[operator]
    metrics = summary.metrics(view.record)
    assert metrics is not None
    (line,) = (line for line in chart.lines if line.kind == "test")
    value = metrics.loss if make is charts.loss else metrics.accuracy
    assert {y for _, y in line.points} == {value}
    assert line.label[5:9] in chart.words


def test_a_run_that_was_not_checked_has_only_its_training() -> None:
    assert {line.kind for line in charts.loss(examples.run()).lines} == {"train"}


def test_reliability_has_a_mark_for_each_bin(view: View) -> None:
    chart = charts.reliability(view.calibration)
    assert [(mark.x, mark.y) for mark in chart.marks] == [
        (each.sureness, each.accuracy) for each in view.calibration
    ]
    first = chart.marks[0]
    assert chart.x.at(first.x) == pytest.approx(46 + 360 * first.x, abs=0.1)
    assert chart.y.at(first.y) == pytest.approx(216 - 202 * first.y, abs=0.1)


def test_the_ledger_marks_the_front_and_this_run() -> None:
    cheap = examples.check()
    assert cheap.metrics is not None
    better = replace(cheap, metrics=replace(cheap.metrics, confusion=((0,) * 10,) * 10))
    records = [
        replace(
            examples.run(n, checked=check), model=replace(examples.MODEL, parameters=parameters)
        )
        for n, (check, parameters) in enumerate(
            [(cheap, 2_000), (cheap, 3_000), (better, 1_000), (better, 4_000)]
        )
    ]
    chart = pareto_charts.by_parameters([*records, examples.run(9)], {records[1].id})
    assert chart is not None
    kinds = {mark.words.split(":")[0]: mark.kind for mark in chart.marks}
    assert kinds == {
        records[0].id: "run best",
        records[1].id: "run this",
        records[2].id: "run best",
        records[3].id: "run",
    }
    (line,) = chart.lines
    assert [x for x, _ in line.points] == [1_000, 2_000, 2_000]


def test_without_a_checked_run_there_is_no_ledger() -> None:
    assert pareto_charts.by_seconds([examples.run()], set()) is None


def test_the_drawing_has_the_size_of_the_template() -> None:
    parts = Path(charts.__file__).parents[1] / "templates" / "parts.html.jinja"
    text = parts.read_text(encoding="utf-8")
    assert f'viewBox="0 0 {charts.WIDTH} {charts.HEIGHT}"' in text
    assert f'd="M{charts.LEFT} {charts.BOTTOM}H{charts.RIGHT}"' in text
