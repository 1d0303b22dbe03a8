"""The training curves of several runs over one another, or of the settings of a sweep."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from mnist_tasks.records import RunRecord
from mnist_tasks.reporting import formatting
from mnist_tasks.reporting.figures import axes
from mnist_tasks.reporting.figures.axes import Axis
from mnist_tasks.reporting.figures.chart import LINE_HEIGHT, Chart, Line, Mark
from mnist_tasks.reporting.figures.run_charts import SMALLEST_LOSS, clipped

MANY_EPOCHS = 8  # from which on a curve is made of the means of the epochs
FIRST = 0.1  # of the first epoch, which is left out: all curves fall there, far above the rest
COLORS = DASHES = 5  # in the style sheet: alike only from the 26th line on

Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True, kw_only=True)
class Curves:
    """The curves of a run, or the means of several: points (epoch, value).

    Attributes
    ----------
    label, name
        What stands at the end of each line, and what it is short for.
    loss, accuracy
        On the training images: one line, or one for each epoch, as running means restart.
    validation_loss, validation_accuracy
        On the validation images, at the end of each epoch; empty if there are none.
    """

    label: str
    name: str
    loss: tuple[Points, ...] = ()
    accuracy: tuple[Points, ...] = ()
    validation_loss: Points = ()
    validation_accuracy: Points = ()


def of_run(record: RunRecord, label: str, name: str) -> Curves:
    """Return the curves of a run."""
    epochs = list(enumerate(record.epochs, start=1))
    losses = [(float(n), each.loss, each.accuracy) for n, each in epochs]
    parts = [losses]
    if len(epochs) < MANY_EPOCHS and record.curve:
        steps = (record.curve[-1].step or 1) / len(epochs)
        parts = [[] for _ in epochs]
        for point in record.curve:
            part = parts[min(int((point.step - 1) / steps), len(epochs) - 1)]
            part.append((point.step / steps, point.loss, point.accuracy))
        later = [each for each in parts[0] if each[0] > FIRST]
        parts[0] = later or parts[0]
    return Curves(
        label=label,
        name=name,
        loss=tuple(tuple((x, loss) for x, loss, _ in part) for part in parts if part),
        accuracy=tuple(
            tuple((x, accuracy) for x, _, accuracy in part if accuracy is not None)
            for part in parts
            if part and part[-1][2] is not None
        ),
        validation_loss=tuple(
            (float(n), each.validation_loss)
            for n, each in epochs
            if each.validation_loss is not None
        ),
        validation_accuracy=tuple(
            (float(n), each.validation_accuracy)
            for n, each in epochs
            if each.validation_accuracy is not None
        ),
    )


def mean(records: Sequence[RunRecord], label: str, name: str) -> Curves:
    """Return the means of the runs of one setting, at least one; they have the same steps."""
    found = [of_run(record, label, name) for record in records]
    return Curves(
        label=label,
        name=name,
        loss=_means([each.loss for each in found]),
        accuracy=_means([each.accuracy for each in found]),
        validation_loss=_mean([each.validation_loss for each in found]),
        validation_accuracy=_mean([each.validation_accuracy for each in found]),
    )


def charts(curves: Sequence[Curves]) -> list[Chart]:
    """Return the charts of loss and accuracy, on the training and on the validation images."""
    loss = partial(axes.loss, "nats")
    accuracy = partial(axes.close_accuracy, "share of images")
    found = (
        _chart("Training loss", [each.loss for each in curves], curves, loss, _loss),
        _chart("Training accuracy", [each.accuracy for each in curves], curves, accuracy, clipped),
        _chart(
            "Validation loss",
            [(each.validation_loss,) for each in curves],
            curves,
            loss,
            _loss,
            marked=True,
        ),
        _chart(
            "Validation accuracy",
            [(each.validation_accuracy,) for each in curves],
            curves,
            accuracy,
            clipped,
            marked=True,
        ),
    )
    return [each for each in found if each is not None]


def style(place: int) -> str:
    """Return the classes of a line by its place: none of the first 25 looks like another."""
    color = place % COLORS
    return f"series c{color} d{(color + place // COLORS) % DASHES}"


def _chart(
    title: str,
    parts: Sequence[tuple[Points, ...]],
    curves: Sequence[Curves],
    axis: Callable[[float, float], Axis],
    shown: Callable[[float], float],
    *,
    marked: bool = False,
) -> Chart | None:
    lines, marks, ends = [], [], []
    for place, (each, of_run) in enumerate(zip(curves, parts, strict=True)):
        drawn = [tuple((x, shown(y)) for x, y in part) for part in of_run if part]
        for part in drawn:
            label = each.label if part is drawn[-1] else ""
            lines.append(Line(kind=style(place), points=part, label=label, beside=True))
            kind = style(place)
            if marked:
                marks += [
                    Mark(kind=kind, x=x, y=y, radius=3, text=f"{each.label}: {_text(title, y)}")
                    for x, y in part
                ]
        if drawn:
            ends.append(f"{each.label} ends at {_text(title, drawn[-1][-1][1])}")
    if not lines:
        return None
    values = [y for line in lines for _, y in line.points]
    last = max(x for line in lines for x, _ in line.points)
    return Chart(
        title=title,
        description=f"{title} by epoch: {'; '.join(ends)}",
        x=axes.epochs(last),
        y=axis(min(values), max(values)),
        lines=tuple(lines),
        marks=tuple(marks),
        right=386,
        height=max(260, 60 + LINE_HEIGHT * len(ends)),
        bottom=max(260, 60 + LINE_HEIGHT * len(ends)) - 44,
    )


def _loss(value: float) -> float:
    return max(value, SMALLEST_LOSS)


def _text(title: str, value: float) -> str:
    return formatting.loss(value) if title.endswith("loss") else formatting.percent(value)


def _means(found: Sequence[tuple[Points, ...]]) -> tuple[Points, ...]:
    return tuple(_mean(parts) for parts in zip(*found, strict=False))


def _mean(found: Sequence[Points]) -> Points:
    """Return the mean of curves at the points that all of them have."""
    return tuple(
        (points[0][0], statistics.fmean(y for _, y in points))
        for points in zip(*found, strict=False)
    )
