"""Named recipes: the layers of a network and how it is trained. Data only; Keras is not needed.

Every network ends in a dense softmax over the ten digits, which `network` adds.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from mnist_tasks.errors import UsageError, printable
from mnist_tasks.training import settings

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
    """The maximum of each square of `size` pixels."""

    size: int = 2


@dataclass(frozen=True, kw_only=True)
class AveragePool:
    """The mean of each square of `size` pixels."""

    size: int = 2


@dataclass(frozen=True, kw_only=True)
class Dropout:
    """Dropout of a share `rate` of the activations, or of whole feature maps at once.

    Whole maps: J. Tompson et al., "Efficient object localization using convolutional networks"
    (2015), since the activations of one map are too much alike for dropping one to hide anything.
    """

    rate: float
    whole_maps: bool = False


LayerSpec = Conv | BatchNorm | MaxPool | AveragePool | Dropout


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A network and its training with Adagrad and sparse categorical cross-entropy.

    Attributes
    ----------
    batch_size
        Images a step.
    learning_rate
        The peak of the schedule.
    warmup_fraction
        The share of all steps in which the rate climbs from 0 to its peak, in [0, 1).
    final_learning_rate_fraction
        The share of the peak to which the rate then falls, in [0, 1].
    initial_accumulator_value
        Where Adagrad's sums of squared gradients start.
    ema_momentum
        What the running average of the weights, which is what a run saves, keeps of itself at each
        step, in [0, 1); 0 saves the weights as they are. Averaged weights are saved with statistics
        of batch normalization of their own (see `normalization.recompute`).
    max_shift
        The most pixels by which an image is moved, each way, at random.
    micro_batches
        In how many parts a batch is computed side by side (see `engine`).
    """

    name: str
    layers: tuple[LayerSpec, ...]
    epochs: int = 1
    batch_size: int
    learning_rate: float
    warmup_fraction: float = 0.0
    final_learning_rate_fraction: float = 1.0
    initial_accumulator_value: float = 0.1
    ema_momentum: float = 0.0
    max_shift: int = 0
    micro_batches: int = 1


DEFAULT = Recipe(
    name="default",
    layers=(
        Conv(filters=16, kernel=6, stride=2),
        BatchNorm(),
        Conv(filters=32, kernel=3),
        AveragePool(),
        BatchNorm(),
        Conv(filters=48, kernel=3),
        BatchNorm(),
        Dropout(rate=0.05, whole_maps=True),
    ),
    batch_size=96,
    learning_rate=0.3,
    warmup_fraction=0.15,
    final_learning_rate_fraction=0.5,
    initial_accumulator_value=0.01,
    ema_momentum=0.99,
    max_shift=1,
    micro_batches=2,
)

# The workflow's description taken at its word, with Keras's usual settings around it.
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
    batch_size=64,
    learning_rate=0.01,
)

RECIPES = {recipe.name: recipe for recipe in (DEFAULT, PLAIN)}


def resolve(config: TrainingConfig) -> Recipe:
    """Return the recipe that a run asks for, with the settings that the user changed.

    Raises
    ------
    UsageError
        There is no recipe of that name, or no such setting, or it can't have that value.
    """
    recipe = RECIPES.get(config.recipe)
    if recipe is None:
        raise UsageError(
            "--recipe",
            expected=f"one of {', '.join(RECIPES)}",
            found=printable(config.recipe) or "nothing",
        )
    named = {
        "epochs": config.epochs,
        "batch_size": config.batch_size,
        "learning_rate": config.learning_rate,
    }
    changed: dict[str, Any] = {key: value for key, value in named.items() if value is not None}
    for name, value in config.settings:
        if name in changed:
            raise UsageError(
                f"{settings.OPTION} {name}",
                expected="it once",
                found=f"also --{name.replace('_', '-')}",
            )
        changed[name] = settings.check(name, value)
    return replace(recipe, **changed)


def as_record(recipe: Recipe) -> dict[str, Any]:
    """Return all of a recipe's settings, for the record of a run."""
    layers = [{"layer": type(spec).__name__, **asdict(spec)} for spec in recipe.layers]
    return {**asdict(recipe), "layers": layers}
