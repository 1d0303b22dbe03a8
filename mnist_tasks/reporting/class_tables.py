"""The classes that fit into a table: all of them side by side, or those with the lowest recall."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mnist_tasks.errors import printable
from mnist_tasks.reporting import run_summary
from mnist_tasks.reporting.formatting import percent

if TYPE_CHECKING:
    from mnist_tasks.check_records import Metrics
    from mnist_tasks.reporting.run_summary import ClassScore

MOST_SIDE_BY_SIDE = 20  # classes
MOST_SHORT = 30  # characters of all names
MOST_ROWS = 20
MOST_CONFUSIONS = 5
MOST_INSTEAD = 3
WORST_COLUMNS = ("class", "precision", "recall", "images", "predicted as")


def side_by_side(classes: Sequence[str]) -> bool:
    """Return whether a column for each class is legible."""
    return len(classes) <= MOST_SIDE_BY_SIDE


def are_short(classes: Sequence[str]) -> bool:
    """Return whether the names of all classes fit side by side, as digits do."""
    return sum(map(len, classes)) <= MOST_SHORT


def diagonal(metrics: Metrics) -> str:
    """Return the cells of correct predictions as an SVG path: a cell is a line 1 wide and long."""
    places = range(len(metrics.confusion))
    return "".join(f"M{n} {n}.5h1" for n in places if metrics.confusion[n][n])


def map_of_errors(metrics: Metrics) -> dict[float, str]:
    """Return the other cells of the confusion matrix as such paths, by tenths of the largest."""
    paths: dict[float, str] = {}
    found = run_summary.confusions(metrics)
    for each in found:
        share = math.ceil(10 * each.count / found[0].count) / 10
        paths[share] = paths.get(share, "") + f"M{each.predicted} {each.label}.5h1"
    return paths


def confusions(metrics: Metrics, classes: Sequence[str], most: int = MOST_CONFUSIONS) -> str:
    """Return the most frequent confusions in words."""
    return ", ".join(
        f"{printable(classes[each.label])} predicted as {printable(classes[each.predicted])} "
        f"({each.count}×)"
        for each in run_summary.confusions(metrics)[:most]
    )


def worst(metrics: Metrics, classes: Sequence[str]) -> tuple[ClassScore, ...]:
    """Return the classes with the lowest recall, as many as a table shows."""
    return run_summary.worst(run_summary.by_class(metrics, classes), MOST_ROWS)


def worst_rows(metrics: Metrics, classes: Sequence[str]) -> list[tuple[str, ...]]:
    """Return those classes as rows of a table with `WORST_COLUMNS`."""
    return [
        (
            score.name,
            percent(score.precision),
            percent(score.recall),
            f"{score.support:,}",
            instead(metrics, classes, score.label),
        )
        for score in worst(metrics, classes)
    ]


def instead(metrics: Metrics, classes: Sequence[str], label: int) -> str:
    """Return what the images of a class were most often predicted to be, except itself."""
    row = metrics.confusion[label]
    found = sorted(
        (each for each in range(len(row)) if each != label and row[each]),
        key=lambda each: -row[each],
    )
    return ", ".join(f"{printable(classes[each])} {row[each]}×" for each in found[:MOST_INSTEAD])


def title(metrics: Metrics, shown: int) -> str:
    """Return the title of a table of some of the classes."""
    count = len(metrics.confusion)
    which = f"{count} classes" if shown == count else f"{shown} of {count} classes, the worst first"
    return f"{metrics.images:,} test images: {which}"
