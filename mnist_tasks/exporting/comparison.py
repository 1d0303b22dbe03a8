"""Compare the predictions of an exported model with those of the model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: No probability of an exported model may differ by more. Sums of float32 in another order differ
#: by less than 1e-6 in networks of this size.
TOLERANCE = 1e-5


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """How predictions for the same images differ; each number is one of images.

    Attributes
    ----------
    other_class
        The predicted class is another one.
    beyond
        A probability differs by more than the tolerance, or is no finite number.
    largest_difference
        Of any probability; ``inf`` if one is no finite number.
    """

    images: int
    other_class: int
    beyond: int
    largest_difference: float

    @property
    def agrees(self) -> bool:
        """Whether the predictions are the same for every image."""
        return not self.other_class and not self.beyond

    def words(self) -> str:
        """Return what differs, with counts."""
        return (
            f"another class for {self.other_class:,} of {self.images:,} images, and a probability "
            f"that differs by more than {TOLERANCE:g} for {self.beyond:,} (at most by "
            f"{self.largest_difference:.1e})"
        )


def compare(expected: NDArray[np.float32], found: NDArray[np.float64]) -> Comparison:
    """Compare probabilities (n, classes) in [0, 1] of the same images."""
    with np.errstate(invalid="ignore"):
        difference = np.abs(found - expected)
    difference[~np.isfinite(difference)] = np.inf
    by_image = difference.max(axis=1)
    return Comparison(
        images=len(expected),
        other_class=int((found.argmax(axis=1) != expected.argmax(axis=1)).sum()),
        beyond=int((by_image > TOLERANCE).sum()),
        largest_difference=float(by_image.max()),
    )
