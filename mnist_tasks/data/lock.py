"""The lock of a project's own data set: the shapes and hashes of its files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from mnist_tasks.data import datasets
from mnist_tasks.dataset_info import (
    LARGEST_SIDE,
    LONGEST_NAME,
    MOST_CLASSES,
    MOST_TEST_IMAGES,
    MOST_TRAINING_IMAGES,
    ClassNames,
)
from mnist_tasks.errors import printable

NAMES = f"2 to {MOST_CLASSES} different names of up to {LONGEST_NAME} characters"
ARRAYS = (*datasets.array_names("train"), *datasets.array_names("test"))


@dataclass(frozen=True, kw_only=True)
class LockedFile:
    """A file of the cache: its shape, and the SHA-256 of its content."""

    shape: Annotated[
        tuple[Annotated[int, Meta(ge=1, le=MOST_TRAINING_IMAGES)], ...],
        Meta(min_length=1, max_length=4),
    ]
    sha256: Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z", extra={"hint": "64 hex digits"})]


@dataclass(frozen=True, kw_only=True)
class Lock:
    """What ``fetch --lock`` found, and every later run must find again."""

    classes: ClassNames
    train_images: LockedFile
    train_labels: LockedFile
    test_images: LockedFile
    test_labels: LockedFile

    @property
    def files(self) -> tuple[LockedFile, ...]:
        """The four files, in the order of `Dataset.files`."""
        return tuple(getattr(self, name) for name in ARRAYS)

    def problem(self, classes: Sequence[str] | None) -> str | None:
        """Return what is wrong with a lock that was edited, or whose table was.

        Parameters
        ----------
        classes
            Names of the classes in the table, if it has them.
        """
        if classes is not None and classes != self.classes:
            others = ", ".join(self.classes)
            return f"the classes {printable(others)}; the table has others by now"
        return invalid_names(self.classes) or self._invalid_shapes()

    def _invalid_shapes(self) -> str | None:
        train, test = self.train_images.shape, self.test_images.shape
        if len(train) not in {3, 4} or train[3:] not in {(), (3,)}:
            return f"images of the shape {train}"
        if train[1:] != test[1:]:
            return f"training images {train[1:]} and test images {test[1:]}"
        if max(train[1:3]) > LARGEST_SIDE or test[0] > MOST_TEST_IMAGES:
            return f"images of the shapes {train} and {test}, which are too large"
        if self.train_labels.shape != train[:1] or self.test_labels.shape != test[:1]:
            return "another number of labels than of images"
        return None


def invalid_names(classes: Sequence[str]) -> str | None:
    """Return what is wrong with the names of the classes, or ``None``."""
    if not 2 <= len(classes) <= MOST_CLASSES:
        return f"a list of {len(classes)}"
    for index, each in enumerate(classes):
        if not 1 <= len(each) <= LONGEST_NAME:
            return f"a name of {len(each)} characters: {printable(each, limit=LONGEST_NAME)}"
        if each != printable(each):
            return f"characters that can't be displayed: {printable(each)}"
        if each in classes[:index]:
            return f"{each}, twice"
    return None
