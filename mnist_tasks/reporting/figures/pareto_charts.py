"""The charts of all runs: accuracy against what it costs, and the front that no run beats."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from mnist_tasks.reporting import summary
from mnist_tasks.reporting.figures import axes, charts
from mnist_tasks.reporting.figures.charts import Chart, Line, Mark, bounded

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from mnist_tasks.records import Metrics, RunRecord


def by_parameters(records: Sequence[RunRecord], these: Collection[str]) -> Chart | None:
    """Return the accuracy of all checked runs against their parameters."""
    costs = [float(record.model.parameters) for record in records]
    return _ledger(records, costs, these, title="Accuracy by parameters", label="parameters")


def by_seconds(records: Sequence[RunRecord], these: Collection[str]) -> Chart | None:
    """Return the accuracy of all checked runs against the seconds that they took."""
    costs = [summary.total_seconds(record) for record in records]
    return _ledger(records, costs, these, title="Accuracy by seconds", label="seconds of training")


def _ledger(
    records: Sequence[RunRecord],
    costs: Sequence[float],
    these: Collection[str],
    *,
    title: str,
    label: str,
) -> Chart | None:
    found = [
        (record, cost, measured)
        for record, cost in zip(records, costs, strict=True)
        if (measured := summary.metrics(record)) is not None and cost > 0
    ]
    if not found:
        return None
    points = [(cost, measured.accuracy) for _, cost, measured in found]
    front = summary.front(points)
    values = [bounded(value) for _, value in points]
    edge = sorted({(points[i][0], bounded(points[i][1])) for i in front})
    return Chart(
        title=title,
        words=f"Test accuracy against {label} of {len(found):,} runs; {len(front):,} of them are "
        "on the front, which no other run beats",
        x=axes.logarithmic(
            label, min(points)[0], max(points)[0], start=charts.LEFT, end=charts.RIGHT
        ),
        y=axes.accuracy(
            "test accuracy", min(values), max(values), start=charts.BOTTOM, end=charts.TOP
        ),
        lines=(Line(kind="front", points=_stairs(edge)),) if len(edge) > 1 else (),
        marks=tuple(
            sorted(
                (
                    _run_mark(record, cost, measured, best=i in front, this=record.id in these)
                    for i, (record, cost, measured) in enumerate(found)
                ),
                key=lambda mark: len(mark.kind),  # those that matter are drawn over the others
            )
        ),
    )


def _run_mark(record: RunRecord, cost: float, metrics: Metrics, *, best: bool, this: bool) -> Mark:
    kinds = ["run", *(["best"] if best else []), *(["this"] if this else [])]
    return Mark(
        kind=" ".join(kinds),
        x=cost,
        y=bounded(metrics.accuracy),
        words=f"{record.id}: {metrics.accuracy:.2%}, {record.model.parameters:,} parameters, "
        f"{summary.total_seconds(record):.1f} s",
    )


def _stairs(edge: Sequence[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """Return the front as stairs: up to a point's accuracy only from its cost on."""
    points = [edge[0]]
    for (_, before), point in pairwise(edge):
        points += [(point[0], before), point]
    return tuple(points)
