"""A chart with its geometry, which the template draws as it is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from mnist_tasks.reporting.figures.axes import Axis

LINE_HEIGHT = 13  # of labels beside lines
CHARACTER = 6.5  # the width of one in a label, on average
Box = tuple[float, float, float, float]  # left, top, right, bottom


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line through points (x, y).

    Attributes
    ----------
    kind
        Its class in the style sheet.
    label
        Text at its end: above the line or, if `below`, below it; or, if `beside`, to its right,
        where it keeps its distance from those of other lines.
    """

    kind: str
    points: tuple[tuple[float, float], ...]
    label: str = ""
    below: bool = False
    beside: bool = False


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A point with its tooltip.

    Attributes
    ----------
    kind
        Its classes in the style sheet.
    interval
        The ends of its interval on the y axis, if it has one.
    label
        Text beside it.
    """

    kind: str
    x: float
    y: float
    text: str
    interval: tuple[float, float] | None = None
    radius: int = 4
    label: str = ""


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
        if line.beside:
            return self.x_at(x) + 12, self._beside[line.label] + 4
        is_below = line.below and end < self.bottom - 20
        return self.x_at(x), end + (15 if is_below else -7)

    def beside(self, mark: Mark) -> tuple[float, float, str]:
        """Return the position of a mark's label and its anchor: where it covers no other label.

        It is where there is more room, if it can be. The line through the best marks is below their
        labels, and above those of the others.
        """
        return self._labels[mark]

    @cached_property
    def _labels(self) -> dict[Mark, tuple[float, float, str]]:
        found: dict[Mark, tuple[float, float, str]] = {}
        taken: list[Box] = []
        for mark in [each for each in self.marks if each.label]:
            places = {place: _box(place, mark.label) for place in self._places(mark)}
            free = (place for place, box in places.items() if not any(_meet(box, o) for o in taken))
            found[mark] = next(free, next(iter(places)))
            taken.append(places[found[mark]])
        return found

    def _places(self, mark: Mark) -> list[tuple[float, float, str]]:
        """Return where the label of a mark may be, the best place first."""
        x, y = self.x_at(mark.x), self.y_at(mark.y)
        sides = [(x + 6, "start"), (x - 6, "end")]
        heights = [y - 7, y + 16]
        if x >= (self.left + self.right) / 2:
            sides.reverse()
        if "best" not in mark.kind:
            heights.reverse()
        return [(left, top, anchor) for top in heights for left, anchor in sides]

    @cached_property
    def _beside(self) -> dict[str, float]:
        """The heights of the labels beside lines: those of the lines' ends, but kept apart."""
        labeled = [line for line in self.lines if line.beside and line.label]
        found: dict[str, float] = {}
        for x in {self.x_at(line.points[-1][0]) for line in labeled}:
            ends = sorted(
                (self.y_at(line.points[-1][1]), line.label)
                for line in labeled
                if self.x_at(line.points[-1][0]) == x
            )
            heights = apart([end for end, _ in ends], float(self.bottom))
            found |= {label: height for (_, label), height in zip(ends, heights, strict=True)}
        return found


def _box(place: tuple[float, float, str], label: str) -> Box:
    x, y, anchor = place
    width = len(label) * CHARACTER
    left = x if anchor == "start" else x - width
    return left, y - LINE_HEIGHT, left + width, y


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def apart(heights: list[float], bottom: float) -> list[float]:
    """Return sorted heights at a distance of at least `LINE_HEIGHT`, none of them below `bottom`.

    >>> apart([10, 12, 100], 101)
    [10, 23, 100]
    """
    found: list[float] = []
    for height in heights:
        found.append(max(height, found[-1] + LINE_HEIGHT) if found else height)
    for i in reversed(range(len(found))):
        found[i] = min(found[i], bottom)
        bottom = found[i] - LINE_HEIGHT
    return found
