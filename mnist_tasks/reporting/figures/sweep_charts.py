"""The charts of a sweep: each setting's runs, and its mean accuracy by its cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mnist_tasks.records import RunRecord
from mnist_tasks.reporting.figures import axes
from mnist_tasks.reporting.figures.axes import Axis
from mnist_tasks.reporting.figures.chart import Chart, Line, Mark
from mnist_tasks.reporting.figures.pareto_charts import pareto_front, stairs
from mnist_tasks.reporting.figures.run_charts import clipped
from mnist_tasks.reporting.formatting import percent, percent_range
from mnist_tasks.sweeping.ranking import Rank

LEFT = 54  # room for "98.825%"
MOST_SETTINGS = 20  # whose runs are drawn
MOST_LABELS = 8  # in a chart; with more settings, they would cover one another
LONGEST_LABEL = 16  # characters; of longer names, the places in the ranking are shown
MOST_MEANS = 500  # that are drawn by their cost, besides those on the front


def by_setting(
    ranking: Sequence[Rank], runs: Mapping[str, Sequence[RunRecord]], images: str
) -> Chart | None:
    """Return the accuracy of each run by the place of its setting, with means and intervals."""
    shown = list(enumerate(ranking[:MOST_SETTINGS], start=1))
    if not shown:
        return None
    marks = [
        Mark(
            kind="run",
            x=place,
            y=clipped(run.trial.metrics.accuracy),
            radius=3,
            text=f"{rank.name}, seed {run.seed}: {percent(run.trial.metrics.accuracy)}",
        )
        for place, rank in shown
        for run in runs[rank.name]
        if run.trial
    ]
    means = [_mean(rank, float(place), kind="this") for place, rank in shown]
    every = -(-len(shown) // 10)
    ticks = tuple((float(place), str(place)) for place, _ in shown if (place - 1) % every == 0)
    return Chart(
        title="Accuracy of each run",
        description=f"Accuracy on the {images} images of each run, by the place of its setting. "
        + "; ".join(mark.text for mark in means),
        x=Axis(label="place of the setting", low=0.5, high=len(shown) + 0.5, ticks=ticks),
        y=_accuracy(images, [*marks, *means]),
        marks=(*marks, *means),
        left=LEFT,
    )


def by_parameters(ranking: Sequence[Rank], images: str) -> Chart | None:
    """Return the mean accuracy of each setting by its parameters, unless all have as many."""
    costs = [(rank, float(rank.parameters)) for rank in ranking]
    return _by_cost(costs, images, title="Accuracy by parameters", label="parameters")


def by_seconds(ranking: Sequence[Rank], images: str) -> Chart | None:
    """Return the mean accuracy of each setting by its median training time."""
    costs = [(rank, rank.fit_seconds) for rank in ranking]
    return _by_cost(costs, images, title="Accuracy by training time", label="seconds of the fit")


def _by_cost(
    costs: Sequence[tuple[Rank, float]], images: str, *, title: str, label: str
) -> Chart | None:
    labels = _labels([rank.name for rank, _ in costs])
    known = [
        (rank, cost, label) for (rank, cost), label in zip(costs, labels, strict=True) if cost > 0
    ]
    if len({cost for _, cost, _ in known}) < 2:
        return None
    points = [(cost, rank.accuracy.mean) for rank, cost, _ in known]
    front = pareto_front(points)
    edge = sorted({(points[i][0], clipped(points[i][1])) for i in front})
    marks = [
        _mean(rank, cost, kind="run" + " best" * (i in front), label=label)
        for i, (rank, cost, label) in enumerate(known)
        if i < MOST_MEANS or i in front
    ]
    marks.sort(key=lambda mark: len(mark.kind))  # the front is drawn last, on top
    names = ", ".join(known[i][0].name for i in sorted(front, key=lambda i: points[i]))
    return Chart(
        title=title,
        description=f"Mean accuracy on the {images} images of {len(known):,} settings by {label}. "
        f"On the Pareto front: {names}",
        x=axes.logarithmic(label, min(points)[0], max(points)[0]),
        y=_accuracy(images, marks),
        lines=(Line(kind="front", points=stairs(edge)),) if len(edge) > 1 else (),
        marks=tuple(marks),
        left=LEFT,
    )


def _labels(names: Sequence[str]) -> Sequence[str]:
    """Return what tells the settings of a chart apart, in their order of rank."""
    if len(names) > MOST_LABELS:
        return [""] * len(names)
    if all(len(name) <= LONGEST_LABEL for name in names):
        return names
    return [str(place) for place in range(1, len(names) + 1)]


def _mean(rank: Rank, x: float, *, kind: str, label: str = "") -> Mark:
    low, high = rank.accuracy.low, rank.accuracy.high
    interval = None if low is None or high is None else (clipped(low), clipped(high))
    shown = "" if interval is None else f" (95% interval {percent_range(interval)})"
    return Mark(
        kind=kind,
        x=x,
        y=clipped(rank.accuracy.mean),
        text=f"{rank.name}: {percent(rank.accuracy.mean)}{shown}",
        interval=interval,
        label=label,
    )


def _accuracy(images: str, marks: Sequence[Mark]) -> Axis:
    values = [y for mark in marks for y in (mark.y, *(mark.interval or ()))]
    return axes.close_accuracy(f"{images} accuracy", min(values), max(values))
