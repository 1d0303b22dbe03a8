"""The charts of the report as geometry: axes, lines and marks, which a template then draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mnist_tasks.reporting import summary
from mnist_tasks.reporting.figures import axes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mnist_tasks.records import RunRecord
    from mnist_tasks.reporting.figures.axes import Axis
    from mnist_tasks.reporting.predicted_images import Bin

WIDTH, HEIGHT = 420, 260
LEFT, RIGHT, TOP, BOTTOM = 46, 406, 14, 216
SMALLEST_LOSS = 1e-4  # the lowest that a logarithmic axis shows
CLOSEST = 1e-5  # how near an axis of accuracies comes to 1


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line through points (x, y); `kind` is its class in the style sheet.

    Attributes
    ----------
    label
        Stands at its end: above it or, if `below`, below.
    """

    kind: str
    points: tuple[tuple[float, float], ...]
    label: str = ""
    below: bool = False


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A point with its words; `low` and `high` are the ends of its interval."""

    kind: str
    x: float
    y: float
    words: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A chart; `words` tell what it shows to those who don't see it."""

    title: str
    words: str
    x: Axis
    y: Axis
    lines: tuple[Line, ...] = ()
    marks: tuple[Mark, ...] = ()

    def path(self, line: Line) -> str:
        """Return a line as the path of an SVG."""
        return "M" + "L".join(f"{self.x.at(x):g} {self.y.at(y):g}" for x, y in line.points)


def loss(record: RunRecord) -> Chart:
    """Return the training loss by step, beside the loss on the test images."""
    metrics = summary.metrics(record)
    values = [max(point.loss, SMALLEST_LOSS) for point in record.curve]
    last = f"from {record.curve[0].loss:.3f} to {record.curve[-1].loss:.3f}"
    tested = [max(metrics.loss, SMALLEST_LOSS)] if metrics else []
    return Chart(
        title="Loss",
        words=f"Training loss by step, {last}"
        + (f"; on the test images {metrics.loss:.3f}" if metrics else ""),
        x=_steps(record),
        y=axes.logarithmic(
            "nats", min(values + tested), max(values + tested), start=BOTTOM, end=TOP
        ),
        lines=(
            *_by_epoch(record, [(p.step, p.loss) for p in record.curve]),
            *(_level(record, value, f"test {value:.3f}", below=True) for value in tested),
        ),
    )


def accuracy(record: RunRecord) -> Chart:
    """Return the training accuracy by step, beside the accuracy on the test images."""
    metrics = summary.metrics(record)
    values = [bounded(point.accuracy) for point in record.curve]
    last = f"from {record.curve[0].accuracy:.1%} to {record.curve[-1].accuracy:.1%}"
    tested = [bounded(metrics.accuracy)] if metrics else []
    return Chart(
        title="Accuracy",
        words=f"Training accuracy by step, {last}"
        + (f"; on the test images {metrics.accuracy:.2%}" if metrics else ""),
        x=_steps(record),
        y=axes.accuracy(
            "of the images", min(values + tested), max(values + tested), start=BOTTOM, end=TOP
        ),
        lines=(
            *_by_epoch(record, [(p.step, p.accuracy) for p in record.curve]),
            *(_level(record, value, f"test {value:.2%}") for value in tested),
        ),
    )


def reliability(bins: Sequence[Bin]) -> Chart:
    """Return how often the model was right against how sure it was."""
    unit = {"low": 0.0, "high": 1.0, "form": "{:.0%}"}
    return Chart(
        title="Sureness and accuracy",
        words="How often the model was right, for each range of how sure it was: "
        + "; ".join(f"{bin_.sureness:.0%} sure, {bin_.accuracy:.0%} right" for bin_ in bins),
        x=axes.linear("how sure the model was", start=LEFT, end=RIGHT, **unit),  # type: ignore[arg-type]
        y=axes.linear("how often it was right", start=BOTTOM, end=TOP, **unit),  # type: ignore[arg-type]
        lines=(Line(kind="ideal", points=((0.0, 0.0), (1.0, 1.0))),),
        marks=tuple(
            Mark(
                kind="this",
                x=bin_.sureness,
                y=bin_.accuracy,
                low=bin_.interval[0],
                high=bin_.interval[1],
                words=f"{bin_.images:,} images: {bin_.sureness:.1%} sure, "
                f"{bin_.accuracy:.1%} right",
            )
            for bin_ in bins
        ),
    )


def _steps(record: RunRecord) -> Axis:
    last = record.curve[-1].step
    return axes.linear("step", 0, last, start=LEFT, end=RIGHT, form="{:,.0f}", tight=True)


def _by_epoch(record: RunRecord, points: list[tuple[int, float]]) -> tuple[Line, ...]:
    """Cut a curve into its epochs: the running means start anew with each."""
    steps = record.curve[-1].step / len(record.epochs)
    epochs: list[list[tuple[float, float]]] = [[] for _ in record.epochs]
    for step, value in points:
        epochs[min(int((step - 1) / steps), len(epochs) - 1)].append((float(step), value))
    return tuple(Line(kind="train", points=tuple(each)) for each in epochs if each)


def _level(record: RunRecord, value: float, label: str, *, below: bool = False) -> Line:
    ends = ((0.0, value), (float(record.curve[-1].step), value))
    return Line(kind="test", points=ends, label=label, below=below)


def bounded(accuracy: float) -> float:
    """Return an accuracy as near to 1 as an axis of accuracies comes."""
    return min(max(accuracy, 0.0), 1 - CLOSEST)
