"""The charts of all runs: accuracy against cost, and the Pareto front; none of a few runs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise

from mnist_tasks.listed_runs import ListedRun
from mnist_tasks.reporting.figures import axes
from mnist_tasks.reporting.figures.chart import Chart, Line, Mark
from mnist_tasks.reporting.figures.run_charts import clipped
from mnist_tasks.reporting.formatting import count, percent, seconds

FEWEST_RUNS = 4  # in a chart; a table says as much about fewer


def by_parameters(runs: Sequence[ListedRun], current: Collection[str]) -> Chart | None:
    """Return the test accuracy of all checked runs by parameters; `current` ids are filled."""
    costs = [(run, float(run.parameters)) for run in runs]
    return _chart(costs, current, title="Accuracy by parameters", label="parameters")


def by_seconds(runs: Sequence[ListedRun], current: Collection[str]) -> Chart | None:
    """Return the test accuracy of all checked runs by training time; `current` ids are filled."""
    costs = [(run, run.seconds) for run in runs]
    return _chart(costs, current, title="Accuracy by training time", label="seconds of training")


def pareto_front(points: Sequence[tuple[float, float]]) -> frozenset[int]:
    """Return the indices of the points (cost, value) that no other point dominates.

    A point dominates another if it is as cheap and better, or as good and cheaper. Equal points are
    all on the front.
    """
    front = set()
    best = (float("inf"), float("-inf"))
    for i in sorted(range(len(points)), key=lambda i: (points[i][0], -points[i][1])):
        if points[i][1] > best[1] or points[i] == best:
            front.add(i)
            best = points[i]
    return frozenset(front)


def _chart(
    costs: Sequence[tuple[ListedRun, float]], current: Collection[str], *, title: str, label: str
) -> Chart | None:
    found = [
        (run, cost, run.accuracy)
        for run, cost in costs
        if run.evaluated_by == "check" and run.accuracy is not None and cost > 0
    ]
    if len(found) < FEWEST_RUNS or len({cost for _, cost, _ in found}) == 1:
        return None
    points = [(cost, accuracy) for _, cost, accuracy in found]
    front = pareto_front(points)
    values = [clipped(value) for _, value in points]
    edge = sorted({(points[i][0], clipped(points[i][1])) for i in front})
    marks = [
        _mark(run, cost, accuracy, is_best=i in front, is_current=run.id in current)
        for i, (run, cost, accuracy) in enumerate(found)
    ]
    marks.sort(key=lambda mark: len(mark.kind))  # the most important are drawn last, on top
    return Chart(
        title=title,
        description=f"Test accuracy by {label} of {len(found):,} runs; {len(front):,} of them are "
        "on the Pareto front",
        x=axes.logarithmic(label, min(points)[0], max(points)[0]),
        y=axes.accuracy("test accuracy", min(values), max(values)),
        lines=(Line(kind="front", points=stairs(edge)),) if len(edge) > 1 else (),
        marks=tuple(marks),
    )


def _mark(run: ListedRun, cost: float, accuracy: float, *, is_best: bool, is_current: bool) -> Mark:
    return Mark(
        kind="run" + " best" * is_best + " this" * is_current,
        radius=5 if is_current else 4,
        x=cost,
        y=clipped(accuracy),
        text=f"{run.id}: {percent(accuracy)}, {count(run.parameters)} parameters, "
        f"{seconds(run.seconds)} s",
    )


def stairs(edge: Sequence[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """Return the front as stairs: an accuracy is reached only at the cost of its point."""
    points = [edge[0]]
    for (_, before), point in pairwise(edge):
        points += [(point[0], before), point]
    return tuple(points)
