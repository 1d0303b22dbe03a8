"""The connected parts of a picture."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mnist_tasks.predicting.filters import largest

Run = tuple[int, int, int]  # row, first column, column after the last
Box = tuple[int, int, int, int]  # first row, first column, and those after the last


@dataclass(frozen=True)
class Part:
    """Pixels that are connected, as runs in rows, from top to bottom."""

    runs: tuple[Run, ...]

    @cached_property
    def area(self) -> int:
        """The number of pixels."""
        return sum(end - start for _, start, end in self.runs)

    @cached_property
    def box(self) -> Box:
        """The smallest box around it."""
        starts, ends = (run[1] for run in self.runs), (run[2] for run in self.runs)
        return self.runs[0][0], min(starts), self.runs[-1][0] + 1, max(ends)

    @property
    def side(self) -> int:
        """The longer side of its box."""
        return side(self.box)


def find(mask: NDArray[np.bool_]) -> list[Part]:
    """Return the parts of a mask, (h, w), in the order of their first pixels.

    Pixels are connected if they touch, with a corner at least.
    """
    runs = _runs(mask)
    parents = list(range(len(runs)))  # of each run in its tree; a root is its own parent

    def root(index: int) -> int:
        while parents[index] != index:
            parents[index] = index = parents[parents[index]]
        return index

    first = 0  # run that may touch this one or a later one
    for index, (row, start, end) in enumerate(runs):
        while runs[first][0] < row - 1 or (runs[first][0] < row and runs[first][2] < start):
            first += 1
        other = first
        while runs[other][0] < row and runs[other][1] <= end:
            low, high = sorted((root(other), root(index)))
            parents[high] = low
            other += 1
    trees: dict[int, list[Run]] = {}
    for index, run in enumerate(runs):
        trees.setdefault(root(index), []).append(run)
    return [Part(tuple(each)) for each in trees.values()]


def _runs(mask: NDArray[np.bool_]) -> list[Run]:
    """Return all runs of pixels, row by row, from left to right."""
    padded = np.pad(mask, [(0, 0), (1, 1)]).astype(np.int8)
    changes = np.diff(padded, axis=1)
    rows, starts = np.nonzero(changes == 1)
    _, ends = np.nonzero(changes == -1)
    return list(zip(rows.tolist(), starts.tolist(), ends.tolist(), strict=True))


def mask_of(parts: Iterable[Part], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return the mask of parts: (h, w) bool."""
    mask = np.zeros(shape, bool)
    for part in parts:
        for row, start, end in part.runs:
            mask[row, start:end] = True
    return mask


def groups(parts: Collection[Part], radius: int) -> list[Box]:
    """Return the box of each group of parts: of those that touch if all grow by a radius.

    Each pixel grows to a square of ``2 * radius + 1`` pixels; the boxes are those before.
    """
    height, width = (max(each.box[end] for each in parts) for end in (2, 3))
    mask = mask_of(parts, (height, width)).astype(np.float64)
    grown = find(largest(np.pad(mask, radius), radius) > 0)
    return [
        (top, left, bottom - 2 * radius, right - 2 * radius)
        for top, left, bottom, right in (each.box for each in grown)
    ]


def side(box: Box) -> int:
    """Return the longer side of a box."""
    top, left, bottom, right = box
    return max(bottom - top, right - left)


def gap(one: Box, other: Box) -> int:
    """Return the pixels between two boxes, in the direction in which they are further apart."""
    return max(
        0,
        max(one[0], other[0]) - min(one[2], other[2]),
        max(one[1], other[1]) - min(one[3], other[3]),
    )
