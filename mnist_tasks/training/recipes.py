"""Named recipes: the layers of a network and how it is trained. Data only; Keras is not needed.

Every network ends in a dense softmax over the ten digits, which `network` adds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from mnist_tasks.errors import WrongUsageError, printable

if TYPE_CHECKING:
    from mnist_tasks.config import TrainingConfig


@dataclass(frozen=True, kw_only=True)
class Conv:
    """A convolution with ReLU; `kernel` and `stride` in pixels, both ways."""

    filters: int
    kernel: int
    stride: int = 1
    padding: Literal["valid", "same"] = "valid"


@dataclass(frozen=True, kw_only=True)
class BatchNorm:
    """Batch normalization.

    Keras's momentum of 0.99 is too slow for the few hundred steps of one epoch: the running
    statistics would still hold their start values.
    """

    momentum: float = 0.9


@dataclass(frozen=True, kw_only=True)
class MaxPool:
    """Max-pooling over squares of `size` pixels."""

    size: int = 2


@dataclass(frozen=True, kw_only=True)
class Dropout:
    """Dropout of a share `rate` of the activations."""

    rate: float


LayerSpec = Conv | BatchNorm | MaxPool | Dropout


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A network and its training with Adagrad and sparse categorical cross-entropy.

    Attributes
    ----------
    learning_rate
        The peak of the schedule.
    warmup
        The share of all steps in which the rate climbs in a straight line from 0 to its peak; it
        then falls to 0 along a half cosine. 0 and `constant` keeps it as it is.
    accumulator
        Where Adagrad's sums of squared gradients start.
    """

    name: str
    layers: tuple[LayerSpec, ...]
    epochs: int
    batch_size: int
    learning_rate: float
    warmup: float
    accumulator: float
    constant: bool = False


PLAIN = Recipe(
    name="plain",
    layers=(
        Conv(filters=16, kernel=3),
        BatchNorm(momentum=0.99),
        Conv(filters=16, kernel=3),
        BatchNorm(momentum=0.99),
        MaxPool(),
        Conv(filters=16, kernel=3),
        BatchNorm(momentum=0.99),
        Conv(filters=16, kernel=3),
        BatchNorm(momentum=0.99),
        MaxPool(),
        Dropout(rate=0.1),
    ),
    epochs=1,
    batch_size=64,
    learning_rate=0.01,
    warmup=0.0,
    accumulator=0.1,
    constant=True,
)

DEFAULT = Recipe(
    name="default",
    layers=(
        Conv(filters=16, kernel=4, stride=2, padding="same"),
        Conv(filters=24, kernel=3),
        BatchNorm(),
        MaxPool(),
        Conv(filters=32, kernel=3),
        BatchNorm(),
        Conv(filters=32, kernel=3),
        BatchNorm(),
        Dropout(rate=0.1),
    ),
    epochs=1,
    batch_size=64,
    learning_rate=0.3,
    warmup=0.2,
    accumulator=0.1,
)

RECIPES = {recipe.name: recipe for recipe in (DEFAULT, PLAIN)}


def resolve(config: TrainingConfig) -> Recipe:
    """Return the recipe that a run asks for, with the settings that the user changed.

    Raises
    ------
    WrongUsageError
        There is no recipe of that name.
    """
    recipe = RECIPES.get(config.recipe)
    if recipe is None:
        raise WrongUsageError(
            "--recipe", expected=f"one of {', '.join(RECIPES)}", found=printable(config.recipe)
        )
    return replace(
        recipe,
        epochs=config.epochs or recipe.epochs,
        batch_size=config.batch_size or recipe.batch_size,
        learning_rate=config.learning_rate or recipe.learning_rate,
    )
