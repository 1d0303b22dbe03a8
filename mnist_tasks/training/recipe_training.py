"""Train the network of a recipe."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from mnist_tasks.records import Epoch, Point
from mnist_tasks.training import loop, normalization
from mnist_tasks.training.folding import folded_weights
from mnist_tasks.training.layer_specs import has_folded_normalization
from mnist_tasks.training.loop import EpochProgress
from mnist_tasks.training.model import build_model, build_optimizer, build_training_model
from mnist_tasks.training.recipe import as_record
from mnist_tasks.training.replica_trainer import ReplicaTrainer
from mnist_tasks.training.setup import Setup
from mnist_tasks.training.trainer import Trainer, of_keras, of_logits, of_smoothed_logits
from mnist_tasks.training.validation import Validated, Validator, averaged
from mnist_tasks.training.weights import WeightVectors

if TYPE_CHECKING:
    from collections.abc import Callable

    from mnist_tasks.data.store import LabeledImages


class RecipeTraining:
    """A training of a recipe; `model` is the one to save, once it is trained."""

    trainer: Literal["fast"] = "fast"

    def __init__(self, setup: Setup) -> None:
        recipe, info, strategy = setup.recipe, setup.data.info, setup.placement.strategy
        self._setup = setup
        self.model = build_model(recipe, info)
        # In float32, and with the normalization that `model` doesn't have.
        is_folded = has_folded_normalization(recipe.layers)
        self._unfolded = build_training_model(recipe, info) if is_folded else None
        with strategy.scope():
            self._training_model = build_training_model(
                recipe, info, precision=setup.config.precision
            )
            smoothing = recipe.label_smoothing
            trainer_class = ReplicaTrainer if setup.replicas > 1 else Trainer
            self._optimizer = build_optimizer(recipe, steps=setup.steps)
            self._weights = WeightVectors(self._training_model)
            self._trainer = trainer_class(
                self._training_model,
                self._optimizer,
                micro_batches=setup.micro_batches,
                weights=self._weights,
                losses=partial(of_smoothed_logits, smoothing) if smoothing else None,
                # Comparable with other recipes, and with the loss of the validation images.
                shown_losses=of_logits if smoothing else None,
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
                validate=self._validation(setup.validation),
            )
        self._take_weights()
        return epochs, curve

    def _validation(self, data: LabeledImages | None) -> Callable[[], Validated] | None:
        """Return what evaluates the model as it would be saved, after an epoch."""
        if data is None:
            return None
        import keras

        loss = keras.losses.SparseCategoricalCrossentropy()
        evaluate = Validator(self.model, data, of_keras(loss, classes=None))

        def validate() -> Validated:
            with averaged(self._weights.variables, self._optimizer):
                self._weights.write()
                self._take_weights()
            return evaluate()

        return validate

    def _take_weights(self) -> None:
        """Give the model to save the weights of the trained one, and the statistics they need."""
        images = self._setup.data.images
        trained = self._training_model.get_weights()
        if self._unfolded is not None:
            self._unfolded.set_weights(trained)
            normalization.recompute(self._unfolded, images[: normalization.MOST_IMAGES])
            self.model.set_weights(folded_weights(self._unfolded))
            return
        self.model.set_weights(trained)
        if self._setup.recipe.recomputes_statistics:
            normalization.recompute(self.model, images[: normalization.BATCH])

    def as_record(self) -> dict[str, Any]:
        """Return the settings of the recipe, for the record."""
        return as_record(self._setup.recipe)
