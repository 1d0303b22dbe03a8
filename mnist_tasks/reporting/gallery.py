"""Many small images on a page: in sheets, and as many as the size of the page allows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import escape

from mnist_tasks.errors import printable
from mnist_tasks.reporting.figures import images

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from mnist_tasks.reporting.predicted_images import PredictedImage

PER_SHEET = 50  # images
ITEM_BYTES = 112  # of the page for each image: markup and numbers, without the names
CLASS_BYTES = 200  # of the page for each class: filters, without the names


@dataclass(frozen=True, kw_only=True)
class Gallery:
    """Images in the order of the page.

    Attributes
    ----------
    sheets
        ``data:`` URLs of images one below the other: `PER_SHEET` in each but the last.
    """

    predicted: tuple[PredictedImage, ...] = ()
    sheets: tuple[str, ...] = ()

    @property
    def labels(self) -> tuple[tuple[int, int], ...]:
        """The true classes, in order, each with its number of images."""
        return _counts([each.label for each in self.predicted])

    @property
    def predictions(self) -> tuple[tuple[int, int], ...]:
        """The predicted classes, in order, each with its number of images."""
        return _counts([each.predicted for each in self.predicted])


def of(predicted: Sequence[PredictedImage], photos: NDArray[np.uint8]) -> Gallery:
    """Return a gallery of some of the test images `photos`, (n, h, w) or (n, h, w, 3) uint8."""
    places = range(0, len(predicted), PER_SHEET)
    sheets = tuple(_sheet(predicted[place : place + PER_SHEET], photos) for place in places)
    return Gallery(predicted=tuple(predicted), sheets=sheets)


def within(
    most_bytes: int,
    predicted: Sequence[PredictedImage],
    photos: NDArray[np.uint8],
    classes: Sequence[str],
) -> Gallery:
    """Return a gallery of the first images, as many sheets as fit: one at least.

    Parameters
    ----------
    most_bytes
        What the images, their text and their filters may add to the page.
    photos
        As in `of`.
    classes
        The names of the classes.
    """
    names = [len(escape(printable(name)).encode()) for name in classes]
    left = most_bytes - sum(CLASS_BYTES + 2 * name for name in names)
    sheets: list[str] = []
    for place in range(0, len(predicted), PER_SHEET):
        some = predicted[place : place + PER_SHEET]
        sheet = _sheet(some, photos)
        left -= len(sheet) + sum(
            ITEM_BYTES + names[each.label] + names[each.predicted] for each in some
        )
        if sheets and left < 0:
            break
        sheets.append(sheet)
    return Gallery(predicted=tuple(predicted[: PER_SHEET * len(sheets)]), sheets=tuple(sheets))


def _sheet(predicted: Sequence[PredictedImage], photos: NDArray[np.uint8]) -> str:
    return images.sheet(photos[[each.index for each in predicted]])


def _counts(classes: Sequence[int]) -> tuple[tuple[int, int], ...]:
    return tuple((each, classes.count(each)) for each in sorted(set(classes)))
