"""Named recipes, and the recipe of a run. Keras is not needed.

A project can write recipes of its own, see `own_recipes`. Every network ends in a dense
softmax over the classes, which `model` adds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_type_hints

import msgspec
from msgspec.structs import replace

from mnist_tasks import constraints
from mnist_tasks.config import SettingValue, TrainingConfig
from mnist_tasks.errors import UsageError, printable
from mnist_tasks.old_records import RENAMED_SETTINGS
from mnist_tasks.training import network_file
from mnist_tasks.training.layer_specs import (
    AveragePool,
    BatchNorm,
    Conv,
    Dropout,
    GlobalAveragePool,
    MaxPool,
    SeparableConv,
)
from mnist_tasks.training.recipe import Recipe

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
    batch_size=80,
    learning_rate=0.3,
    warmup_fraction=0.15,
    final_learning_rate_fraction=0.5,
    initial_accumulator_value=0.01,
    label_smoothing=0.03,
    ema_momentum=0.99,
    max_shift=1,
    micro_batches=2,
)

# A textbook network, with Keras's usual settings.
_PAIR = (Conv(filters=16, kernel=3), BatchNorm(momentum=0.99))
PLAIN = Recipe(
    name="plain",
    layers=(*_PAIR, *_PAIR, MaxPool(), *_PAIR, *_PAIR, MaxPool(), Dropout(rate=0.1)),
    batch_size=64,
    learning_rate=0.01,
)


def _conv(filters: int, *, stride: int = 1) -> Conv:
    return Conv(filters=filters, kernel=3, stride=stride, batch_norm=True)


# Below 25,000, 10,000 and 2,000 parameters, chosen as benchmarks/trials.md says. They are trained
# much as the 9,994 parameters in https://github.com/sagarigrandhi/EVA4 are, with more
# transformations, with weight decay, and with averaged weights.
ACCURATE = Recipe(
    name="accurate",
    layers=(
        _conv(8),
        _conv(12),
        _conv(20, stride=2),
        _conv(24),
        _conv(28),
        _conv(28),
        GlobalAveragePool(),
    ),
    epochs=20,
    batch_size=64,
    optimizer="sgd",
    learning_rate=0.3,
    warmup_fraction=0.3,
    final_learning_rate_fraction=0.0,
    weight_decay=0.003,
    ema_momentum=0.998,
    max_rotation=12,
    max_scaling=0.1,
    max_shear=0.15,
    max_shift=1.5,
    micro_batches=2,
)
SMALL = replace(
    ACCURATE,
    name="small",
    layers=(
        _conv(8),
        _conv(12, stride=2),
        _conv(18),
        _conv(18),
        _conv(20),
        GlobalAveragePool(),
    ),
    epochs=30,
    learning_rate=0.15,
    weight_decay=0.002,
    ema_momentum=0.999,
)
TINY = replace(
    SMALL,
    name="tiny",
    layers=(
        Conv(filters=10, kernel=5, stride=2, batch_norm=True),
        *[SeparableConv(filters=18, kernel=3, batch_norm=True)] * 3,
        GlobalAveragePool(),
    ),
    learning_rate=0.7,
    weight_decay=0.0001,
    max_rotation=8,
    max_scaling=0.07,
    max_shear=0.1,
    max_shift=1.0,
)

RECIPES = {recipe.name: recipe for recipe in (DEFAULT, PLAIN, ACCURATE, SMALL, TINY)}

#: The settings of a recipe that a user may change, with the type and range of each.
SETTINGS: dict[str, Any] = {
    name: kind
    for name, kind in get_type_hints(Recipe, include_extras=True).items()
    if name not in {"name", "layers"}
}


#: How images are moved; those for a network of the user's own only if named.
TRANSFORMATIONS = ("max_shift", "max_rotation", "max_scaling", "max_shear")
#: What a network of the user's own doesn't have, or decides itself.
_NOT_OF_NETWORKS = {
    "ema_momentum": "Compile the model with an optimizer that has use_ema=True.",
    "label_smoothing": "Compile the model with a loss that has label_smoothing.",
}
_OPTIMIZERS = {"initial_accumulator_value": "adagrad", "momentum": "sgd"}


def check_setting(name: str, value: object) -> SettingValue:
    """Check the value of a setting and convert it to its type: 1.0 to 1 for a whole number."""
    option = f"--set {printable(name)}"
    if name not in SETTINGS:
        new = RENAMED_SETTINGS.get(name)
        raise UsageError(
            option,
            expected=f"one of {', '.join(SETTINGS)}",
            found="no such setting",
            remedy=f"It is now called {new}." if new else constraints.suggestion(name, SETTINGS),
        )
    whole = int(value) if isinstance(value, float) and value.is_integer() else value
    checked: SettingValue = constraints.convert_value(whole, SETTINGS[name], option)
    return checked


def find(name: str, own: Mapping[str, Recipe] | None = None) -> Recipe:
    """Return the recipe of a name, which may be one of the project's own."""
    known = RECIPES | dict(own or {})
    if name not in known:
        raise UsageError(
            "--recipe",
            expected=f"one of {', '.join(known)}",
            found=printable(name) or "nothing",
            remedy=constraints.suggestion(name, known),
        )
    return known[name]


def resolve(config: TrainingConfig) -> Recipe:
    """Return the recipe of a run, with the settings that the user changed, all of them checked."""
    recipe = find(config.recipe) if isinstance(config.recipe, str) else config.recipe
    if not isinstance(recipe, Recipe):
        raise TypeError(f"expected a name or a Recipe, found {recipe!r}")
    if "/" in recipe.name:  # which Keras refuses as the name of a model
        found = printable(recipe.name)
        raise UsageError("the recipe's name", expected="a name without /", found=found)
    if config.network is not None:
        recipe = msgspec.structs.replace(
            recipe,
            name=network_file.title(config.network, recipe.name),
            layers=(),
            **{
                each.name: each.default
                for each in msgspec.structs.fields(Recipe)
                if each.name in {*TRANSFORMATIONS, *_NOT_OF_NETWORKS}
            },
        )
    changed = changes(config)
    recipe = msgspec.structs.replace(recipe, **changed)
    for name in changed:
        if config.network is not None and name in _NOT_OF_NETWORKS:
            raise UsageError(
                f"--set {name}",
                expected="a setting that applies to a network of your own",
                found="one of recipes only",
                remedy=_NOT_OF_NETWORKS[name],
            )
        if (only := _OPTIMIZERS.get(name, recipe.optimizer)) != recipe.optimizer:
            raise UsageError(
                f"--set {name}",
                expected=f"a setting that the optimizer {recipe.optimizer} has",
                found=f"one that only {only} has",
            )
    return recipe


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
