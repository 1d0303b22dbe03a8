"""Recipes are data, and a run changes only what its user asked for."""

import json
from dataclasses import replace

import pytest

from mnist_tasks import run_store
from mnist_tasks.config import TrainingConfig
from mnist_tasks.errors import UsageError
from mnist_tasks.training import recipes


def test_a_recipe_is_taken_as_it_is() -> None:
    assert recipes.resolve(TrainingConfig()) is not None
    assert recipes.resolve(TrainingConfig()) == recipes.DEFAULT
    assert recipes.resolve(TrainingConfig(recipe="plain")) == recipes.PLAIN


def test_the_users_settings_replace_the_recipes() -> None:
    config = TrainingConfig(epochs=3, batch_size=7, learning_rate=0.5)
    expected = replace(recipes.DEFAULT, epochs=3, batch_size=7, learning_rate=0.5)
    assert recipes.resolve(config) == expected


def test_any_other_setting_can_be_changed() -> None:
    config = TrainingConfig(settings=(("ema_momentum", 0.0), ("max_shift", 0)))
    assert recipes.resolve(config) == replace(recipes.DEFAULT, ema_momentum=0.0, max_shift=0)


def test_a_setting_that_is_given_twice_is_refused() -> None:
    with pytest.raises(UsageError, match="also --batch-size"):
        recipes.resolve(TrainingConfig(batch_size=8, settings=(("batch_size", 9),)))


def test_a_setting_that_cant_be_is_refused() -> None:
    with pytest.raises(UsageError, match="--set max_shift"):
        recipes.resolve(TrainingConfig(settings=(("max_shift", 9),)))


def test_an_unknown_recipe_is_named_with_the_known_ones() -> None:
    with pytest.raises(UsageError) as caught:
        recipes.resolve(TrainingConfig(recipe="pancakes"))
    assert caught.value.found == "pancakes"
    assert caught.value.expected == "one of default, plain"


@pytest.mark.parametrize("recipe", recipes.RECIPES.values(), ids=lambda recipe: recipe.name)
def test_every_recipe_has_what_the_workflow_promises(recipe: recipes.Recipe) -> None:
    kinds = {type(layer) for layer in recipe.layers}
    assert {recipes.Conv, recipes.BatchNorm, recipes.Dropout} <= kinds
    assert recipe.epochs == 1


def test_a_record_tells_the_kind_of_each_layer() -> None:
    record = json.loads(run_store.to_json(recipes.as_record(recipes.PLAIN)))
    assert record["layers"][0] == {
        "layer": "Conv",
        "filters": 16,
        "kernel": 3,
        "stride": 1,
        "padding": "valid",
    }
    assert record["layers"][-1] == {"layer": "Dropout", "rate": 0.1, "whole_maps": False}
    assert record["batch_size"] == 64
