"""The charts of one run: its training curves and its calibration."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from mnist_tasks.reporting import run_summary
from mnist_tasks.reporting.figures import axes
from mnist_tasks.reporting.figures.chart import Chart, Line, Mark

if TYPE_CHECKING:
    from collections.abc import Callable

    from mnist_tasks.records import RunRecord
    from mnist_tasks.reporting.figures.axes import Axis
    from mnist_tasks.reporting.predicted_images import ImagePredictions

SMALLEST_LOSS = 1e-4  # the lowest value of the logarithmic axis
LARGEST_ACCURACY = 1 - 1e-5  # the highest value of the axis for accuracies


def loss(record: RunRecord) -> Chart | None:
    """Return the training loss by step and the test loss; ``None`` without a training curve."""
    metrics = run_summary.metrics(record)
    return _curve(
        record,
        [max(point.loss, SMALLEST_LOSS) for point in record.curve],
        max(metrics.loss, SMALLEST_LOSS) if metrics else None,
        [
            None if each.validation_loss is None else max(each.validation_loss, SMALLEST_LOSS)
            for each in record.epochs
        ],
        name="loss",
        form="{:.3f}",
        axis=partial(axes.logarithmic, "nats"),
    )


def accuracy(record: RunRecord) -> Chart | None:
    """Return the training accuracy by step and the test accuracy; ``None`` without a curve."""
    metrics = run_summary.metrics(record)
    values = [clipped(point.accuracy) for point in record.curve if point.accuracy is not None]
    return _curve(
        record,
        values if len(values) == len(record.curve) else [],
        clipped(metrics.accuracy) if metrics else None,
        [
            None if each.validation_accuracy is None else clipped(each.validation_accuracy)
            for each in record.epochs
        ],
        name="accuracy",
        form="{:.2%}",
        axis=partial(axes.accuracy, "share of images"),
    )


def reliability(predictions: ImagePredictions | None) -> Chart | None:
    """Return the accuracy of predictions by their confidence; ``None`` without predictions."""
    if predictions is None:
        return None
    marks = [
        Mark(
            kind="this",
            radius=5,
            x=each.confidence,
            y=each.accuracy,
            interval=(each.accuracy_low, each.accuracy_high),
            text=f"{each.images:,} images: confidence {each.confidence:.1%}, "
            f"{each.accuracy:.1%} correct",
        )
        for each in predictions.calibration
    ]
    return Chart(
        title="Accuracy by confidence",
        description="; ".join(["Accuracy by confidence", *(mark.text for mark in marks)]),
        x=axes.linear("confidence", 0, 1, form="{:.0%}"),
        y=axes.linear("accuracy", 0, 1, form="{:.0%}"),
        lines=(Line(kind="ideal", points=((0.0, 0.0), (1.0, 1.0))),),
        marks=tuple(marks),
    )


def clipped(accuracy: float) -> float:
    """Return an accuracy within the range of the axis for accuracies."""
    return min(max(accuracy, 0.0), LARGEST_ACCURACY)


def _curve(
    record: RunRecord,
    values: list[float],
    tested: float | None,
    validated: list[float | None],
    *,
    name: str,
    form: str,
    axis: Callable[[float, float], Axis],
) -> Chart | None:
    if not values:
        return None
    last = record.curve[-1].step
    ends = [last * epoch / len(validated) for epoch in range(1, len(validated) + 1)]
    points = tuple(
        (end, value) for end, value in zip(ends, validated, strict=True) if value is not None
    )
    lines, descriptions = [*_by_epoch(record, values)], []
    # Each label is on the outer side of its line, so that it is not upon the other.
    if points:
        final = points[-1][1]
        is_lower = name == "loss" if tested is None else final < tested
        label = f"validation {form.format(final)}"
        lines.append(Line(kind="validation", points=points, label=label, below=is_lower))
        descriptions.append(f"; validation {name} {form.format(final)}")
    if tested is not None:
        level, label = ((0.0, tested), (float(last), tested)), f"test {form.format(tested)}"
        is_lower = tested <= points[-1][1] if points else name == "loss"
        lines.append(Line(kind="test", points=level, label=label, below=is_lower))
        descriptions.append(f"; test {name} {form.format(tested)}")
    shown = [*values, *(value for _, value in points), *([] if tested is None else [tested])]
    return Chart(
        title=name.capitalize(),
        description=f"Training {name} by step, from {form.format(values[0])} to "
        f"{form.format(values[-1])}" + "".join(descriptions),
        x=axes.linear("step", 0, last, form="{:,.0f}", tight=True),
        y=axis(min(shown), max(shown)),
        lines=tuple(lines),
        marks=tuple(
            Mark(kind="validation", x=x, y=y, radius=3, text=f"validation {form.format(y)}")
            for x, y in points
        ),
    )


def _by_epoch(record: RunRecord, values: list[float]) -> tuple[Line, ...]:
    """Split a curve into its epochs, as the running means restart with each."""
    steps = (record.curve[-1].step or 1) / len(record.epochs)
    epochs: list[list[tuple[float, float]]] = [[] for _ in record.epochs]
    for point, value in zip(record.curve, values, strict=True):
        epochs[min(int((point.step - 1) / steps), len(epochs) - 1)].append(
            (float(point.step), value)
        )
    return tuple(Line(kind="train", points=tuple(each)) for each in epochs if each)
