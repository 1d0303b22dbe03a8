"""Plan files are read strictly; errors name the key."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from mnist_tasks.data import datasets
from mnist_tasks.errors import InputRefusedError, UsageError
from mnist_tasks.sweeping import plan_file
from mnist_tasks.sweeping.plan import Plan
from mnist_tasks.sweeping.search_space import Setting
from mnist_tasks.training.layer_specs import Conv
from mnist_tasks.training.recipe import Recipe

if TYPE_CHECKING:
    from pathlib import Path


def load(
    folder: Path, text: str, base: Plan | None = None
) -> tuple[list[str], tuple[int, ...], int | None]:
    (folder / "plan.toml").write_text(text)
    found = plan_file.load(folder / "plan.toml", base or Plan())
    return [each.name for each in found.settings], found.seeds, found.limit


def test_a_grid_and_a_list(tmp_path: Path) -> None:
    text = """
    seeds = "0-2"
    recipes = ["default", "plain"]
    limit = 600

    [set]
    max_shift = [0, 1]
    ema_momentum = 0.5

    [[settings]]
    recipe = "plain"
    learning_rate = 0.02
    """
    assert load(tmp_path, text) == (
        [
            "default ema_momentum=0.5 max_shift=0",
            "default ema_momentum=0.5 max_shift=1",
            "plain ema_momentum=0.5 max_shift=0",
            "plain ema_momentum=0.5 max_shift=1",
            "plain learning_rate=0.02",
        ],
        (0, 1, 2),
        600,
    )


def test_a_list_of_settings_replaces_the_default_grid(tmp_path: Path) -> None:
    assert load(tmp_path, "seeds = [4, 2]\n[[settings]]\nmax_shift = 0") == (
        ["default max_shift=0"],
        (4, 2),
        None,
    )


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ["net.py (plain)"]),
        ("[set]\nmax_shift = 0", ["net.py (plain) max_shift=0"]),
        ("[[settings]]\nmax_shift = 0", ["net.py (plain) max_shift=0"]),
        ('recipes = ["tiny", "plain"]', ["tiny", "plain"]),
        ('[[settings]]\nrecipe = "tiny"', ["tiny"]),
        ('recipes = ["tiny"]\nnetworks = ["", "other.py"]', ["tiny", "other.py (tiny)"]),
        ('networks = [""]', ["plain"]),
        ('[[settings]]\nnetwork = ""', ["plain"]),
        ('[[settings]]\nrecipe = "tiny"\nnetwork = "net.py"', ["net.py (tiny)"]),
    ],
)
def test_a_recipe_has_its_own_network_in_a_project_with_another(
    tmp_path: Path, text: str, names: list[str]
) -> None:
    for name in ("net.py", "other.py"):
        (tmp_path / name).write_text("def build(): ...")
    of_project = Plan(settings=(Setting(recipe="plain", network=str(tmp_path / "net.py")),))
    assert load(tmp_path, text, of_project)[0] == names


def test_an_empty_file_trains_the_default_recipe(tmp_path: Path) -> None:
    assert load(tmp_path, "") == (["default"], (0, 1, 2, 3, 4), None)


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("seed = 3", "plan.toml: seed"),
        ("seeds = 3", "plan.toml: seeds"),
        ('seeds = "x"', "plan.toml: seeds"),
        ('limit = "9"', "plan.toml: limit"),
        ("[set]\npancakes = 1", "plan.toml: pancakes"),
        ("[set]\nmax_shift = [9]", "plan.toml: max_shift"),
        ('[set]\nmax_shift = ["1"]', "plan.toml: max_shift"),
        ("[[settings]]\nrecipe = 3", "plan.toml: recipe"),
        ("[[settings]]\nlayers = 3", "plan.toml: layers"),
        ("settings = 3", "plan.toml: settings"),
        ('recipes = ["pancakes"]', "plan.toml: recipe"),
        ("limit = 50_001", "plan.toml: limit"),
        ("[set]\nmax_shift = []", "plan.toml: the sweep"),
        ("[set]\nlearning_rate = 1" + 400 * "0", "plan.toml: learning_rate"),
        ("[set]\nlearning_rate = 1" + 5000 * "0", "plan.toml"),
        ("not TOML", "plan.toml"),
    ],
)
def test_an_invalid_value_is_reported_with_its_key(tmp_path: Path, text: str, subject: str) -> None:
    with pytest.raises(UsageError) as caught:
        load(tmp_path, text)
    assert caught.value.subject.endswith(subject)


def test_the_error_describes_valid_values(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        load(tmp_path, "seeds = 3")
    assert caught.value.expected == "text in quotes or a list"


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(InputRefusedError, match="no such file") as caught:
        plan_file.load(tmp_path / "plan.toml", Plan())
    assert caught.value.reason == "file-missing"


def test_only_the_recipes_of_the_plan_must_fit_the_images(tmp_path: Path) -> None:
    dataset = datasets.find("mnist")
    small = replace(dataset, info=replace(dataset.info, image_shape=(4, 4, 1)))
    mine = Recipe(name="mine", layers=(Conv(filters=2, kernel=3),), batch_size=8, learning_rate=0.1)
    base = Plan(dataset=small, recipes={"mine": mine})
    path = tmp_path / "plan.toml"
    path.write_text('recipes = ["mine"]')
    assert [each.name for each in plan_file.load(path, base).settings] == ["mine"]
    path.write_text('recipes = ["mine", "default"]')
    with pytest.raises(UsageError, match="default") as caught:
        plan_file.load(path, base)
    assert "plan.toml" in caught.value.subject
