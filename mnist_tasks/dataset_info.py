"""What the images and labels of a data set are, as it is recorded with every run and check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from msgspec import Meta

LARGEST_SIDE = 64  # pixels
MOST_CLASSES = 100
LONGEST_NAME = 64  # characters of a class's name
MOST_TRAINING_IMAGES = 1_000_000
MOST_TEST_IMAGES = 60_000

Side = Annotated[int, Meta(ge=1, le=LARGEST_SIDE)]
Channels = Literal[1, 3]
ImageShape = tuple[Side, Side, Channels]
ClassName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=LONGEST_NAME,
        extra={"hint": f"at most {LONGEST_NAME} characters"},
    ),
]
ClassNames = Annotated[tuple[ClassName, ...], Meta(min_length=2, max_length=MOST_CLASSES)]


@dataclass(frozen=True, kw_only=True)
class DatasetInfo:
    """The images and labels of a data set.

    Attributes
    ----------
    name
        As in ``--dataset``.
    title
        As in tables and pages.
    image_shape
        Height and width in pixels, and the number of channels.
    classes
        The name of each class, in the order of the labels.
    """

    name: Annotated[str, Meta(min_length=1, max_length=64)]
    title: Annotated[str, Meta(min_length=1, max_length=64)]
    image_shape: ImageShape
    classes: ClassNames

    @property
    def array_shape(self) -> tuple[int, ...]:
        """The shape of an image in an array of images: without a channel if there is only one."""
        return array_shape(self.image_shape)


def array_shape(image_shape: ImageShape) -> tuple[int, ...]:
    """Return the shape of an image in an array of images: without a channel if there is only one.

    >>> array_shape((28, 28, 1)), array_shape((20, 24, 3))
    ((28, 28), (20, 24, 3))
    """
    height, width, channels = image_shape
    return (height, width) if channels == 1 else (height, width, channels)


MNIST = DatasetInfo(
    name="mnist", title="MNIST", image_shape=(28, 28, 1), classes=tuple(map(str, range(10)))
)
