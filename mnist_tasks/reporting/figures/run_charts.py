"""The charts of one run: its training curves and its calibration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mnist_tasks.reporting import run_summary
from mnist_tasks.reporting.figures import axes
from mnist_tasks.reporting.figures.chart import Chart, Line, Mark

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mnist_tasks.records import RunRecord
    from mnist_tasks.reporting.figures.axes import Axis
    from mnist_tasks.reporting.predicted_images import Bin

SMALLEST_LOSS = 1e-4  # the lowest value of the logarithmic axis
LARGEST_ACCURACY = 1 - 1e-5  # the highest value of the axis for accuracies


def loss(record: RunRecord) -> Chart | None:
    """Return the training loss by step and the test loss; ``None`` without a training curve."""
    if not record.curve:
        return None
    metrics = run_summary.metrics(record)
    values = [max(point.loss, SMALLEST_LOSS) for point in record.curve]
    tested = [max(metrics.loss, SMALLEST_LOSS)] if metrics else []
    return Chart(
        title="Loss",
        description=f"Training loss by step, from {record.curve[0].loss:.3f} to "
        f"{record.curve[-1].loss:.3f}" + (f"; test loss {metrics.loss:.3f}" if metrics else ""),
        x=_steps(record),
        y=axes.logarithmic("nats", min(values + tested), max(values + tested)),
        lines=(
            *_by_epoch(record, [(point.step, point.loss) for point in record.curve]),
            *(_level(record, value, f"test {value:.3f}", below=True) for value in tested),
        ),
    )


def accuracy(record: RunRecord) -> Chart | None:
    """Return the training accuracy by step and the test accuracy; ``None`` without a curve."""
    if not record.curve:
        return None
    metrics = run_summary.metrics(record)
    values = [clipped(point.accuracy) for point in record.curve]
    tested = [clipped(metrics.accuracy)] if metrics else []
    return Chart(
        title="Accuracy",
        description=f"Training accuracy by step, from {record.curve[0].accuracy:.1%} to "
        f"{record.curve[-1].accuracy:.1%}"
        + (f"; test accuracy {metrics.accuracy:.2%}" if metrics else ""),
        x=_steps(record),
        y=axes.accuracy("share of images", min(values + tested), max(values + tested)),
        lines=(
            *_by_epoch(record, [(point.step, point.accuracy) for point in record.curve]),
            *(_level(record, value, f"test {value:.2%}") for value in tested),
        ),
    )


def reliability(bins: Sequence[Bin]) -> Chart | None:
    """Return the accuracy of predictions against their confidence; ``None`` without predictions."""
    if not bins:
        return None
    return Chart(
        title="Accuracy by confidence",
        description="Accuracy of the predictions in each range of confidence: "
        + "; ".join(f"confidence {each.confidence:.0%}, {_correct(each, 0)}" for each in bins),
        x=axes.linear("confidence", 0, 1, form="{:.0%}"),
        y=axes.linear("accuracy", 0, 1, form="{:.0%}"),
        lines=(Line(kind="ideal", points=((0.0, 0.0), (1.0, 1.0))),),
        marks=tuple(
            Mark(
                kind="this",
                radius=5,
                x=each.confidence,
                y=each.accuracy,
                interval=each.interval,
                text=f"{each.images:,} images: confidence {each.confidence:.1%}, "
                + _correct(each, 1),
            )
            for each in bins
        ),
    )


def clipped(accuracy: float) -> float:
    """Return an accuracy within the range of the axis for accuracies."""
    return min(max(accuracy, 0.0), LARGEST_ACCURACY)


def _correct(each: Bin, digits: int) -> str:
    return f"{each.accuracy:.{digits}%} correct"


def _steps(record: RunRecord) -> Axis:
    return axes.linear("step", 0, record.curve[-1].step, form="{:,.0f}", tight=True)


def _by_epoch(record: RunRecord, points: list[tuple[int, float]]) -> tuple[Line, ...]:
    """Split a curve into its epochs, as the running means restart with each."""
    steps = record.curve[-1].step / len(record.epochs)
    epochs: list[list[tuple[float, float]]] = [[] for _ in record.epochs]
    for step, value in points:
        epochs[min(int((step - 1) / steps), len(epochs) - 1)].append((float(step), value))
    return tuple(Line(kind="train", points=tuple(each)) for each in epochs if each)


def _level(record: RunRecord, value: float, label: str, *, below: bool = False) -> Line:
    ends = ((0.0, value), (float(record.curve[-1].step), value))
    return Line(kind="test", points=ends, label=label, below=below)
