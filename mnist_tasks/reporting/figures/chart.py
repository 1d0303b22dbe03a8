"""A chart with its geometry, which the template draws as it is."""

from __future__ import annotations

from dataclasses import dataclass

from mnist_tasks.reporting.figures.axes import Axis


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line through points (x, y).

    Attributes
    ----------
    kind
        Its class in the style sheet.
    label
        Text at its end: above the line or, if `below`, below it.
    """

    kind: str
    points: tuple[tuple[float, float], ...]
    label: str = ""
    below: bool = False


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A point with its tooltip.

    Attributes
    ----------
    kind
        Its classes in the style sheet.
    interval
        The ends of its interval on the y axis, if it has one.
    """

    kind: str
    x: float
    y: float
    text: str
    interval: tuple[float, float] | None = None
    radius: int = 4


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A chart in a box of `width` by `height`, and the ends of its axes in that box.

    Attributes
    ----------
    description
        The text for people who do not see the chart.
    """

    title: str
    description: str
    x: Axis
    y: Axis
    lines: tuple[Line, ...] = ()
    marks: tuple[Mark, ...] = ()
    width: int = 420
    height: int = 260
    left: int = 46
    right: int = 406
    top: int = 14
    bottom: int = 216

    def x_at(self, value: float) -> float:
        """Return the horizontal position of a value."""
        return round(self.left + self.x.share(value) * (self.right - self.left), 1)

    def y_at(self, value: float) -> float:
        """Return the vertical position of a value."""
        return round(self.bottom - self.y.share(value) * (self.bottom - self.top), 1)

    def path(self, line: Line) -> str:
        """Return a line as an SVG path."""
        return "M" + "L".join(f"{self.x_at(x):g} {self.y_at(y):g}" for x, y in line.points)

    def label_at(self, line: Line) -> tuple[float, float]:
        """Return the position of a line's label: above its end if there is no room below."""
        x, y = line.points[-1]
        end = self.y_at(y)
        is_below = line.below and end < self.bottom - 20
        return self.x_at(x), end + (15 if is_below else -7)
