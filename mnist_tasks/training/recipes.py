"""Named recipes: the layers of a network, and how it is trained. Keras is not needed.

A project can write recipes of its own, see `own_recipes`. Every network ends in a dense
softmax over the classes, which `model` adds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, get_type_hints

import msgspec
from msgspec import Meta

from mnist_tasks import constraints
from mnist_tasks.config import Epochs, TrainingConfig
from mnist_tasks.errors import UsageError, printable
from mnist_tasks.old_records import RENAMED_SETTINGS
from mnist_tasks.training import network_file
from mnist_tasks.training.layer_specs import (
    AveragePool,
    BatchNorm,
    Conv,
    Dropout,
    Fraction,
    LayerSpec,
    MaxPool,
)


class RecipeTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A recipe as a project writes it, in a table with its name."""

    layers: Annotated[
        tuple[LayerSpec, ...], Meta(description="Layers before the dense softmax over the classes.")
    ]
    epochs: Epochs = 1
    batch_size: Annotated[int, Meta(ge=1, le=60_000, description="Images per step.")]
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
    ema_momentum: Annotated[
        Fraction,
        Meta(description="Momentum of the saved moving average of the weights; 0: no average."),
    ] = 0.0
    max_shift: Annotated[
        int, Meta(ge=0, le=4, description="Largest shift of an image in pixels, each way.")
    ] = 0
    micro_batches: Annotated[
        int, Meta(ge=1, le=64, description="Parts of a batch that are computed in parallel.")
    ] = 1


class Recipe(RecipeTable, frozen=True, kw_only=True):
    """A network, and its training with Adagrad and sparse categorical cross-entropy.

    Averaged weights (`ema_momentum`) are saved with batch-normalization statistics of their own:
    see `normalization.recompute`.
    """

    name: str

    def __str__(self) -> str:
        """Return the name, as in ``--recipe``."""
        return self.name


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

# The workflow's description taken literally, with Keras's usual settings.
_PAIR = (Conv(filters=16, kernel=3), BatchNorm(momentum=0.99))
PLAIN = Recipe(
    name="plain",
    layers=(*_PAIR, *_PAIR, MaxPool(), *_PAIR, *_PAIR, MaxPool(), Dropout(rate=0.1)),
    batch_size=64,
    learning_rate=0.01,
)

RECIPES = {recipe.name: recipe for recipe in (DEFAULT, PLAIN)}

#: The settings of a recipe that a user may change, with the type and range of each.
SETTINGS: dict[str, Any] = {
    name: kind
    for name, kind in get_type_hints(Recipe, include_extras=True).items()
    if name not in {"name", "layers"}
}


def check_setting(name: str, value: object) -> float:
    """Check the value of a setting and convert it to its type: 1.0 to 1 for a whole number."""
    option = f"--set {printable(name)}"
    if name not in SETTINGS:
        new = RENAMED_SETTINGS.get(name)
        raise UsageError(
            option,
            expected=f"one of {', '.join(SETTINGS)}",
            found="no such setting",
            remedy=f"It is now called {new}." if new else None,
        )
    whole = int(value) if isinstance(value, float) and value.is_integer() else value
    checked: float = constraints.convert_value(whole, SETTINGS[name], option)
    return checked


def find(name: str, own: Mapping[str, Recipe] | None = None) -> Recipe:
    """Return the recipe of a name, which may be one of the project's own."""
    known = RECIPES | dict(own or {})
    if name not in known:
        raise UsageError(
            "--recipe", expected=f"one of {', '.join(known)}", found=printable(name) or "nothing"
        )
    return known[name]


def require_images(recipe: Recipe, height: int, width: int) -> None:
    """Refuse images that are too small for a layer of a recipe.

    Parameters
    ----------
    height, width
        Of the images, in pixels.

    Raises
    ------
    UsageError
        What a layer gets is smaller than its kernel or its squares.
    """
    for index, layer in enumerate(recipe.layers):
        kind = type(layer).__name__
        if isinstance(layer, Conv):
            needed = layer.kernel if layer.padding == "valid" else 1
            stride = layer.stride
        elif isinstance(layer, MaxPool | AveragePool):
            needed = stride = layer.size
        else:
            continue
        if min(height, width) < needed:
            raise UsageError(
                f"recipe {recipe.name}: layers[{index}], {kind}",
                expected=f"at least {needed} x {needed} pixels",
                found=f"{height} x {width} pixels, after the layers before it",
            )
        height, width = (1 + (side - needed) // stride for side in (height, width))


def resolve(config: TrainingConfig) -> Recipe:
    """Return the recipe of a run, with the settings that the user changed, all of them checked."""
    recipe = find(config.recipe) if isinstance(config.recipe, str) else config.recipe
    if not isinstance(recipe, Recipe):
        raise TypeError(f"expected a name or a Recipe, found {recipe!r}")
    if config.network is not None:
        recipe = msgspec.structs.replace(
            recipe,
            name=network_file.title(config.network, recipe.name),
            layers=(),
            max_shift=0,
            ema_momentum=0.0,
        )
    changed = changes(config)
    if config.network is not None and "ema_momentum" in changed:
        raise UsageError(
            "--set ema_momentum",
            expected="a setting that applies to a network of your own",
            found="one of recipes only",
            remedy="Compile the model with an optimizer that has use_ema=True.",
        )
    return msgspec.structs.replace(recipe, **changed)


def changes(config: TrainingConfig) -> dict[str, Any]:
    """Return the settings that the user named, all of them checked."""
    changed: dict[str, Any] = {}
    for name, kind in SETTINGS.items():
        if (value := getattr(config, name, None)) is not None:
            option = f"--{name.replace('_', '-')}"
            changed[name] = constraints.convert_value(value, kind, option)
    for name, value in config.settings:
        if name in changed:
            option = f"--{name.replace('_', '-')}"
            raise UsageError(f"--set {name}", expected="the setting once", found=f"also {option}")
        changed[name] = check_setting(name, value)
    return changed


def as_record(recipe: Recipe) -> dict[str, Any]:
    """Return all settings of a recipe, as they are written to the record of a run."""
    record: dict[str, Any] = msgspec.to_builtins(recipe)
    return {"name": recipe.name, **record}  # the name first
