"""A recipe: the layers of a network, and how it is trained. Keras is not needed."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from mnist_tasks.config import Epochs
from mnist_tasks.training.layer_specs import Fraction, LayerSpec, has_folded_normalization

LARGEST_SHIFT = 4  # pixels


class RecipeTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A recipe as a project writes it, in a table with its name."""

    layers: Annotated[
        tuple[LayerSpec, ...], Meta(description="Layers before the dense softmax over the classes.")
    ]
    epochs: Epochs = 1
    batch_size: Annotated[int, Meta(ge=1, le=60_000, description="Images per step.")]
    optimizer: Annotated[
        Literal["adagrad", "sgd", "adamw"],
        Meta(description="sgd: with Nesterov momentum."),
    ] = "adagrad"
    learning_rate: Annotated[float, Meta(gt=0, description="The peak of the schedule.")]
    warmup_fraction: Annotated[
        Fraction,
        Meta(description="Fraction of all steps in which the learning rate rises to its peak."),
    ] = 0.0
    final_learning_rate_fraction: Annotated[
        float, Meta(ge=0, le=1, description="Final learning rate, as a fraction of the peak.")
    ] = 1.0
    initial_accumulator_value: Annotated[
        float, Meta(ge=0, description="Initial value of Adagrad's sums of squared gradients.")
    ] = 0.1
    momentum: Annotated[Fraction, Meta(description="Nesterov momentum of sgd.")] = 0.9
    weight_decay: Annotated[
        Fraction,
        Meta(description="Part of each kernel that a step removes, times the learning rate."),
    ] = 0.0
    label_smoothing: Annotated[
        Fraction, Meta(description="Part of each label that is spread over all classes.")
    ] = 0.0
    ema_momentum: Annotated[
        Fraction,
        Meta(description="Momentum of the saved moving average of the weights; 0: no average."),
    ] = 0.0
    max_shift: Annotated[
        Annotated[int, Meta(ge=0, le=LARGEST_SHIFT)]
        | Annotated[float, Meta(ge=0, le=LARGEST_SHIFT)],
        Meta(description="Largest shift of an image in pixels, each way."),
    ] = 0
    max_rotation: Annotated[
        float, Meta(ge=0, le=180, description="Largest rotation of an image in degrees, each way.")
    ] = 0.0
    max_scaling: Annotated[
        Fraction, Meta(description="Largest change of an image's width, and of its height.")
    ] = 0.0
    max_shear: Annotated[
        float, Meta(ge=0, le=1, description="Largest horizontal shear of an image, each way.")
    ] = 0.0
    micro_batches: Annotated[
        int, Meta(ge=1, le=64, description="Parts of a batch that are computed in parallel.")
    ] = 1


class Recipe(RecipeTable, frozen=True, kw_only=True):
    """A network, and its training with sparse categorical cross-entropy."""

    name: Annotated[str, Meta(pattern=r"\A[^/]{1,100}\Z")]  # Keras takes no slash

    def __str__(self) -> str:
        """Return the name, as in ``--recipe``."""
        return self.name

    @property
    def is_affine(self) -> bool:
        """Whether training images are moved by other than whole pixels: see `augmentation`."""
        moved = self.max_rotation or self.max_scaling or self.max_shear
        return bool(moved) or self.max_shift != int(self.max_shift)

    @property
    def recomputes_statistics(self) -> bool:
        """Whether batch normalization gets its statistics after the training.

        Those of the training would belong to other weights than the averaged ones, and to images
        that are transformed: see `normalization.recompute`.
        """
        return self.ema_momentum > 0 or has_folded_normalization(self.layers)


def as_record(recipe: Recipe) -> dict[str, Any]:
    """Return all settings of a recipe, as they are written to the record of a run."""
    record: dict[str, Any] = msgspec.to_builtins(recipe)
    return {"name": recipe.name, **record}  # the name first


def from_record(record: dict[str, Any]) -> Recipe:
    """Return the recipe of a record; of settings that came later, the default values.

    Raises
    ------
    msgspec.ValidationError
        It is not the record of a recipe.
    """
    return msgspec.convert(record, Recipe)
