"""Train the user's own network: with the fast trainer where the model allows it, else ``fit``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from mnist_tasks.errors import InputRefusedError
from mnist_tasks.records import Epoch, Point
from mnist_tasks.training import (
    augmentation,
    batches,
    fit_trainer,
    loop,
    network_file,
    recipes,
    rehearsal,
    saving,
    user_code,
    user_loss,
    user_model,
)
from mnist_tasks.training.loop import EpochProgress
from mnist_tasks.training.network_file import REASON, NetworkFile
from mnist_tasks.training.recipe import as_record
from mnist_tasks.training.replica_trainer import ReplicaTrainer
from mnist_tasks.training.setup import Setup
from mnist_tasks.training.trainer import Trainer, of_keras
from mnist_tasks.training.validation import Validated, Validator, averaged

if TYPE_CHECKING:
    from mnist_tasks.data.store import LabeledImages
    from mnist_tasks.training.trainer import Losses

Curves = tuple[tuple[Epoch, ...], tuple[Point, ...]]


class UserTraining:
    """A training of the user's model; `model` is the one to save, once it is trained.

    Attributes
    ----------
    why_fit
        Why Keras's ``fit`` trains it; empty if the fast trainer does.
    """

    def __init__(self, setup: Setup, file: NetworkFile) -> None:
        self._setup, self._file = setup, file
        with setup.placement.strategy.scope(), user_code.running(file, is_hers=False):
            self._user = user_model.build(
                file,
                setup.recipe,
                changed=frozenset(recipes.changes(setup.config)),
                steps=setup.steps,
                info=setup.data.info,
            )
        self.model = self._user.model
        with user_code.running(file, is_hers=False):
            self.why_fit = user_loss.why_not_fast(self.model, self._user.loss)
        if self._user.callbacks:
            self.why_fit = "callbacks"
        with user_code.running(file):
            suffix = setup.config.output.suffix
            plain = user_model.without_class(self.model)
            self._rehearsal = rehearsal.rehearse(
                plain,
                saving.content(plain, suffix),
                suffix,
                network_file.where(file),
                setup.data.info.image_shape,
            )

    @property
    def trainer(self) -> Literal["fast", "fit"]:
        """Which trainer it is, for the record."""
        return "fit" if self.why_fit else "fast"

    def run(self, progress: EpochProgress) -> Curves:
        """Train the model in place."""
        if self.why_fit:
            progress.note(f"Keras's fit trains the model, since it has {self.why_fit}.")
        if why := self._rehearsal.why_refused:
            progress.note(f"`mnist-tasks check` will refuse the model: {why}.")
        if why := self._rehearsal.why_uncompiled:
            progress.note(f"The model is saved without what it was compiled with: {why}.")
        with self._setup.placement.strategy.scope(), user_code.running(self._file, is_hers=False):
            curves = self._fit(progress) if self.why_fit else self._fast(progress)
            self.model = self._rehearsal.to_save(user_model.without_class(self.model))
        return curves

    def as_record(self) -> dict[str, Any]:
        """Return what trained the model, in place of a recipe's settings."""
        record = as_record(self._setup.recipe)
        unused = {"layers", "ema_momentum", "label_smoothing"}
        unused |= {"micro_batches"} if self.why_fit else set()
        unused |= set(user_loss.OPTIMIZER_SETTINGS) if self._user.is_hers else set()
        optimizer = type(self._user.model.optimizer).__name__
        return {
            **{name: value for name, value in record.items() if name not in unused},
            "learning_rate": self._user.learning_rate,
            **({"optimizer": optimizer} if self._user.is_hers else {}),
            "loss": self._user.loss.name,
        }

    def _fast(self, progress: EpochProgress) -> Curves:
        setup, loss, rate = self._setup, self._user.loss, self._user.learning_rate
        losses = of_keras(
            loss.function, classes=self.model.output_shape[-1] if loss.one_hot else None
        )
        trainer = (ReplicaTrainer if setup.replicas > 1 else Trainer)(
            self.model,
            self.model.optimizer,
            micro_batches=setup.micro_batches,
            losses=losses,
        )
        recipe = setup.recipe
        return loop.run(
            trainer,
            replace(recipe, learning_rate=rate) if isinstance(rate, float) else recipe,
            setup.data,
            seed=setup.config.seed,
            smallest=setup.smallest,
            progress=progress,
            augment=self._augment if self._user.augment else None,
            validate=self._validation(setup.validation, losses),
        )

    def _validation(
        self, data: LabeledImages | None, losses: Losses
    ) -> Callable[[], Validated] | None:
        """Return what evaluates the model as it would be saved, after an epoch."""
        if data is None:
            return None
        evaluate = Validator(self.model, data, losses)

        def validate() -> Validated:
            with averaged(self.model.trainable_variables, self.model.optimizer):
                return evaluate()

        return validate

    def _fit(self, progress: EpochProgress) -> Curves:
        setup = self._setup
        random = np.random.default_rng(setup.config.seed)

        def epoch() -> Iterator[fit_trainer.Batch]:
            for images, labels in batches.epoch(
                setup.data,
                batch_size=setup.recipe.batch_size,
                steps=1,
                random=random,
                transform=augmentation.of_recipe(setup.recipe),
                smallest=setup.smallest,
                augment=self._augment if self._user.augment else None,
            ):
                yield images[0], labels[0]

        return fit_trainer.fit(
            self._user,
            self._file,
            epoch,
            epochs=setup.recipe.epochs,
            sizes=setup.sizes,
            progress=progress,
            validation=setup.validation,
        )

    def _augment(self, images: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
        """Call the user's function on a batch, and check what it returns."""
        assert self._user.augment is not None  # noqa: S101 - the callers look
        with user_code.running(self._file):
            found: NDArray[np.uint8] = self._user.augment(images, random)
        is_array = isinstance(found, np.ndarray)
        if not is_array or found.shape != images.shape or found.dtype != np.uint8:
            raise InputRefusedError(
                user_code.line_of(self._user.augment, self._file),
                expected=f"images {images.shape} uint8, as they came in",
                found=f"{found.shape} {found.dtype}" if is_array else type(found).__name__,
                reason=REASON,
            )
        return found
