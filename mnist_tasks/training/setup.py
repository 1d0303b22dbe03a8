"""What a training gets: its configuration, images and devices."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from mnist_tasks.config import TrainingConfig
from mnist_tasks.data.store import LabeledImages
from mnist_tasks.training import batches
from mnist_tasks.training.recipe import Recipe
from mnist_tasks.training.tensorflow_setup import Placement


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What a training gets.

    Attributes
    ----------
    recipe
        With the settings that the user changed.
    data, validation
        The images to train on, and those to evaluate on after each epoch, if there are any.
    """

    config: TrainingConfig
    recipe: Recipe
    data: LabeledImages
    placement: Placement
    validation: LabeledImages | None = None

    @property
    def replicas(self) -> int:
        """The number of devices."""
        return self.placement.machine.replicas

    @cached_property
    def smallest(self) -> int:
        """The number of images that the smallest batch should have, as in `batches.sizes`."""
        return batches.smallest(
            self.recipe.batch_size,
            images=len(self.data.labels),
            replicas=self.replicas,
            micro_batches=self.placement.micro_batches,
        )

    @cached_property
    def sizes(self) -> list[int]:
        """The sizes of the batches of an epoch."""
        return batches.sizes(len(self.data.labels), self.recipe.batch_size, smallest=self.smallest)

    @property
    def steps(self) -> int:
        """The number of steps of the whole training."""
        return self.recipe.epochs * len(self.sizes)

    @property
    def micro_batches(self) -> int:
        """The number of parts in which each device computes its share of a batch."""
        return min(self.placement.micro_batches, *self.sizes)
