"""The charts of all runs, and their Pareto front."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mnist_tasks.reporting.figures import pareto_charts
from tests import examples


def test_the_chart_marks_the_pareto_front_and_the_current_run() -> None:
    cheap = examples.check()
    assert cheap.metrics is not None
    better = replace(cheap, metrics=replace(cheap.metrics, confusion=((1,) * 10,) * 10))
    records = [
        replace(
            examples.run(n, checked=check), model=replace(examples.MODEL, parameters=parameters)
        )
        for n, (check, parameters) in enumerate(
            [(cheap, 2_000), (cheap, 3_000), (better, 1_000), (better, 4_000)]
        )
    ]
    chart = pareto_charts.by_parameters(
        examples.stored(*records, examples.run(9)).runs, {records[1].id}
    )
    assert chart is not None
    kinds = {mark.text.split(":")[0]: mark.kind for mark in chart.marks}
    assert kinds == {
        records[0].id: "run best",
        records[1].id: "run this",
        records[2].id: "run best",
        records[3].id: "run",
    }
    (line,) = chart.lines
    assert [x for x, _ in line.points] == [1_000, 2_000, 2_000]


def test_a_few_runs_have_no_chart() -> None:
    checked = [examples.run(n, checked=examples.check()) for n in range(4)]
    slower = replace(checked[0], seconds={"fit": 9.0})
    unchecked = [examples.run(5), examples.run(6)]
    few = examples.stored(slower, *checked[1:3], *unchecked)
    assert pareto_charts.by_seconds(few.runs, set()) is None
    enough = examples.stored(slower, *checked[1:])
    assert pareto_charts.by_seconds(enough.runs, set()) is not None
    assert pareto_charts.by_parameters(enough.runs, set()) is None  # all have the same number


@pytest.mark.parametrize(
    ("points", "front"),
    [
        ([], set()),
        ([(1, 0.9)], {0}),
        ([(1, 0.9), (2, 0.8)], {0}),
        ([(2, 0.95), (1, 0.9), (3, 0.94)], {0, 1}),
        ([(1, 0.9), (1, 0.9), (1, 0.8)], {0, 1}),
        ([(1, 0.9), (2, 0.9)], {0}),
    ],
)
def test_the_pareto_front_is_what_no_point_dominates(
    points: list[tuple[float, float]], front: set[int]
) -> None:
    assert pareto_charts.pareto_front(points) == front
