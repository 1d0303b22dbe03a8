"""Recipes are data, and a run changes only the settings that its user gives."""

import json
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from mnist_tasks import constraints, json_text
from mnist_tasks.config import TrainingConfig
from mnist_tasks.errors import UsageError
from mnist_tasks.training import layer_specs, recipes
from mnist_tasks.training.recipe import Recipe, as_record, from_record


def test_without_options_a_recipe_is_unchanged() -> None:
    assert recipes.resolve(TrainingConfig()) == recipes.DEFAULT
    assert recipes.resolve(TrainingConfig(recipe="plain")) == recipes.PLAIN


def test_options_replace_settings_of_the_recipe() -> None:
    config = TrainingConfig(epochs=3, batch_size=7, learning_rate=0.5)
    expected = replace(recipes.DEFAULT, epochs=3, batch_size=7, learning_rate=0.5)
    assert recipes.resolve(config) == expected


def test_any_other_setting_can_be_changed() -> None:
    config = TrainingConfig(settings=(("ema_momentum", 0.0), ("max_shift", 0)))
    assert recipes.resolve(config) == replace(recipes.DEFAULT, ema_momentum=0.0, max_shift=0)


def test_a_setting_given_twice_is_refused() -> None:
    with pytest.raises(UsageError, match="also --batch-size"):
        recipes.resolve(TrainingConfig(batch_size=8, settings=(("batch_size", 9),)))


def test_a_name_that_keras_refuses_is_refused() -> None:
    with pytest.raises(UsageError, match="the recipe's name: a/b"):
        recipes.resolve(TrainingConfig(recipe=replace(recipes.PLAIN, name="a/b")))


def test_an_invalid_setting_is_refused() -> None:
    with pytest.raises(UsageError, match="--set max_shift"):
        recipes.resolve(TrainingConfig(settings=(("max_shift", 9),)))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 0),
        ("epochs", -1),
        ("epochs", 1001),
        ("batch_size", 0),
        ("batch_size", 60_001),
        ("learning_rate", 0.0),
        ("learning_rate", -0.1),
        ("learning_rate", float("nan")),
        ("learning_rate", float("inf")),
    ],
)
def test_an_option_out_of_range_is_named(name: str, value: float) -> None:
    options: Any = {name: value}
    with pytest.raises(UsageError) as caught:
        recipes.resolve(TrainingConfig(**options))
    assert caught.value.subject == f"--{name.replace('_', '-')}"
    assert caught.value.expected == constraints.describe(recipes.SETTINGS[name])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 1),
        ("batch_size", 60_000),
        ("learning_rate", 1),
        ("final_learning_rate_fraction", 1),
    ],
)
def test_a_value_at_the_end_of_its_range_is_valid(name: str, value: float) -> None:
    resolved = getattr(recipes.resolve(TrainingConfig(settings=((name, value),))), name)
    assert resolved == value
    assert type(resolved) is type(getattr(recipes.DEFAULT, name))


@pytest.mark.parametrize("recipe", recipes.RECIPES.values(), ids=lambda recipe: recipe.name)
def test_every_recipe_is_within_its_ranges(recipe: Recipe) -> None:
    assert msgspec.convert(as_record(recipe), Recipe) == recipe


def test_every_setting_of_a_recipe_can_be_set_and_is_described() -> None:
    assert set(recipes.SETTINGS) == set(Recipe.__struct_fields__) - {"name", "layers"}
    properties = msgspec.json.schema(Recipe)["$defs"]["Recipe"]["properties"]
    for name, kind in recipes.SETTINGS.items():
        described = constraints.describe(kind)
        assert described.partition(" number")[0] in {"a", "a whole"} or name == "optimizer"
        assert properties[name]["description"].endswith(".")


@pytest.mark.parametrize(
    ("optimizer", "name", "only"),
    [("adagrad", "momentum", "sgd"), ("sgd", "initial_accumulator_value", "adagrad")],
)
def test_a_setting_that_the_optimizer_lacks_is_refused(
    optimizer: str, name: str, only: str
) -> None:
    config = TrainingConfig(settings=((name, 0.5), ("optimizer", optimizer)))
    with pytest.raises(UsageError, match=f"--set {name}") as caught:
        recipes.resolve(config)
    assert caught.value.found == f"one that only {only} has"
    resolved = recipes.resolve(TrainingConfig(settings=((name, 0.5), ("optimizer", only))))
    assert (resolved.optimizer, getattr(resolved, name)) == (only, 0.5)


def test_a_record_without_later_settings_is_read() -> None:
    layers = [{"layer": "Conv", "filters": 16, "kernel": 3, "stride": 1, "padding": "valid"}]
    old = {"name": "a", "layers": layers, "batch_size": 64, "learning_rate": 0.1, "max_shift": 1}
    recipe = from_record(old)
    assert recipe.layers == (layer_specs.Conv(filters=16, kernel=3),)
    assert (recipe.optimizer, recipe.max_shift, recipe.is_affine) == ("adagrad", 1, False)


def test_an_unknown_recipe_is_named_with_the_known_ones() -> None:
    with pytest.raises(UsageError) as caught:
        recipes.resolve(TrainingConfig(recipe="pancakes"))
    assert caught.value.found == "pancakes"
    assert caught.value.expected == "one of default, plain, accurate, small, tiny"


@pytest.mark.parametrize("recipe", [recipes.DEFAULT, recipes.PLAIN], ids=str)
def test_these_recipes_have_what_the_workflow_promises(recipe: Recipe) -> None:
    kinds = {type(layer) for layer in recipe.layers}
    assert {layer_specs.Conv, layer_specs.BatchNorm, layer_specs.Dropout} <= kinds
    assert recipe.epochs == 1


def test_a_record_names_the_kind_of_each_layer() -> None:
    record = json.loads(json_text.to_json(as_record(recipes.PLAIN)))
    assert record["layers"][0] == {
        "layer": "Conv",
        "filters": 16,
        "kernel": 3,
        "stride": 1,
        "padding": "valid",
        "batch_norm": False,
    }
    assert record["layers"][-1] == {"layer": "Dropout", "rate": 0.1, "whole_maps": False}
    assert record["batch_size"] == 64
