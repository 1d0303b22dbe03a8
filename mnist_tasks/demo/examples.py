"""The test images of the page: some of each class, and some that the model got wrong."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mnist_tasks.data.store import LabeledImages
from mnist_tasks.reporting.figures import images

MOST_IMAGES = 30  # of each kind
MOST_BYTES = 20_000  # of each kind's images in the page


@dataclass(frozen=True, kw_only=True)
class Example:
    """A test image: its ``data:`` URL, and what it is."""

    url: str
    caption: str


@dataclass(frozen=True, kw_only=True)
class Group:
    """Test images of one kind."""

    title: str
    about: str
    images: tuple[Example, ...]


def groups(data: LabeledImages, probabilities: NDArray[np.float32]) -> list[Group]:
    """Return the test images to choose from; the wrong ones are those of the highest confidence.

    Parameters
    ----------
    probabilities
        (n, classes) float32, the model's predictions for them.
    """
    predicted = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(predicted != data.labels)
    wrong = wrong[np.argsort(-probabilities[wrong].max(axis=1), kind="stable")]
    found = (
        Group(
            title="Try a test image",
            about="The first ones of each class. The network was not trained on them.",
            images=_within_limits(data, _of_each_class(data.labels)),
        ),
        Group(
            title="Or one that it gets wrong",
            about=f"Of the {len(wrong):,} wrong ones among {len(predicted):,}, those that it is "
            "most confident about.",
            images=_within_limits(data, wrong),
        ),
    )
    return [each for each in found if each.images]


def _of_each_class(labels: NDArray[np.uint8]) -> list[int]:
    """Return the first image of each class, then the second ones, and so on."""
    by_class = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    rounds = min(map(len, by_class), default=0)
    return [int(indices[turn]) for turn in range(min(rounds, MOST_IMAGES)) for indices in by_class]


def _within_limits(data: LabeledImages, indices: Iterable[int]) -> tuple[Example, ...]:
    chosen: list[Example] = []
    left = MOST_BYTES
    for index in indices:
        url = images.photo(data.images[index])
        left -= len(url)
        if left < 0 or len(chosen) == MOST_IMAGES:
            break
        name = data.info.classes[data.labels[index]]
        chosen.append(Example(url=url, caption=f"Test image {index:,}: {name}"))
    return tuple(chosen)
