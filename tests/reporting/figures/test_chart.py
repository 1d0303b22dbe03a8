"""The geometry of a chart, and that the page draws it from there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mnist_tasks.reporting import html
from mnist_tasks.reporting.figures import axes, run_charts
from mnist_tasks.reporting.figures.chart import Chart, Line, Mark

if TYPE_CHECKING:
    import pytest

    from mnist_tasks.reporting.run_view import RunView

CHART = Chart(
    title="t",
    description="d",
    x=axes.linear("x", 0, 10),
    y=axes.linear("y", 0, 10),
    left=10,
    right=110,
    top=20,
    bottom=220,
)


def test_positions_are_within_the_axes() -> None:
    assert [CHART.x_at(value) for value in (-1, 0, 5, 10)] == [10, 10, 60, 110]
    assert [CHART.y_at(value) for value in (0, 5, 10, 99)] == [220, 120, 20, 20]
    assert CHART.path(Line(kind="k", points=((0, 0), (5, 10)))) == "M10 220L60 20"


def test_a_label_is_below_its_line_only_if_there_is_room() -> None:
    high = Line(kind="k", points=((10, 5),), label="l", below=True)
    assert CHART.label_at(high) == (110, 135)
    assert CHART.label_at(replace(high, below=False)) == (110, 113)
    assert CHART.label_at(replace(high, points=((10, 0),))) == (110, 213)


def test_a_label_of_a_mark_is_where_there_is_more_room() -> None:
    left = Mark(kind="run best", x=1, y=5, text="", label="l")
    right = Mark(kind="run", x=9, y=5, text="", label="r")
    chart = replace(CHART, marks=(left, right))
    assert chart.beside(left) == (26, 113, "start")
    assert chart.beside(right) == (94, 136, "end")


def test_labels_of_marks_do_not_cover_one_another() -> None:
    names = ("small", "accurate", "another")
    marks = tuple(
        Mark(kind="run best", x=8 + number, y=9 + number / 9, text=name, label=name)
        for number, name in enumerate(names)
    )
    chart = replace(CHART, marks=marks)
    spans = []
    for mark in marks:
        x, y, anchor = chart.beside(mark)
        width = 6 * len(mark.label)
        spans.append((x if anchor == "start" else x - width, y, width))
    for number, (x, y, width) in enumerate(spans):
        for left, height, other in spans[:number]:
            assert abs(y - height) >= 12 or x + width <= left or left + other <= x


def test_the_page_takes_its_geometry_from_the_chart(
    view: RunView, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = run_charts.loss(view.record)
    assert found is not None
    moved = replace(found, width=999, height=777, left=111, right=888, bottom=555)
    monkeypatch.setattr(run_charts, "loss", lambda record: moved)
    page = html.run(view)
    assert 'viewBox="0 0 999 777"' in page
    assert 'd="M111 555H888"' in page
