"""Train the network of a recipe."""

from __future__ import annotations

from typing import Any, Literal

from mnist_tasks.records import Epoch, Point
from mnist_tasks.training import loop, normalization, recipes
from mnist_tasks.training.loop import EpochProgress
from mnist_tasks.training.model import build_model, build_optimizer, build_training_model
from mnist_tasks.training.replica_trainer import ReplicaTrainer
from mnist_tasks.training.setup import Setup
from mnist_tasks.training.trainer import Trainer


class RecipeTraining:
    """A training of a recipe; `model` is the one to save, once it is trained."""

    trainer: Literal["fast"] = "fast"

    def __init__(self, setup: Setup) -> None:
        recipe, info, strategy = setup.recipe, setup.data.info, setup.placement.strategy
        self._setup = setup
        self.model = build_model(recipe, info)
        with strategy.scope():
            self._training_model = build_training_model(
                recipe, info, precision=setup.config.precision
            )
            trainer_class = ReplicaTrainer if setup.replicas > 1 else Trainer
            self._trainer = trainer_class(
                self._training_model,
                build_optimizer(recipe, steps=setup.steps),
                micro_batches=setup.micro_batches,
            )

    def run(self, progress: EpochProgress) -> tuple[tuple[Epoch, ...], tuple[Point, ...]]:
        """Train the model."""
        setup = self._setup
        with setup.placement.strategy.scope():
            epochs, curve = loop.run(
                self._trainer,
                setup.recipe,
                setup.data,
                seed=setup.config.seed,
                smallest=setup.smallest,
                progress=progress,
            )
        self.model.set_weights(self._training_model.get_weights())
        if setup.recipe.ema_momentum:
            images = setup.data.images[: normalization.ENOUGH_IMAGES]
            normalization.recompute(self.model, images)
        return epochs, curve

    def as_record(self) -> dict[str, Any]:
        """Return the settings of the recipe, for the record."""
        return recipes.as_record(self._setup.recipe)
