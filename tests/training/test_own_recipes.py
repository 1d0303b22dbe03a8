"""Recipes in a project's settings: strict, and trained and recorded like those of the package."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mnist_tasks import run_store
from mnist_tasks.config import TrainingConfig
from mnist_tasks.errors import UsageError
from mnist_tasks.sweeping import plan_file, search_space
from mnist_tasks.sweeping.plan import Plan
from mnist_tasks.training import layer_specs, own_recipes, recipes, run
from mnist_tasks.training.layer_specs import (
    AveragePool,
    BatchNorm,
    Conv,
    Dropout,
    GlobalAveragePool,
    LayerSpec,
    MaxPool,
    SeparableConv,
)
from mnist_tasks.training.recipe import Recipe, as_record
from tests.conftest import Run
from tests.json_output import result_of

TABLE = "[tool.mnist-tasks.recipes.mine]\n"
SMALL = f"""{TABLE}
layers = [
    {{ layer = "Conv", filters = 4, kernel = 5, stride = 3 }},
    {{ layer = "BatchNorm" }},
    {{ layer = "AveragePool" }},
]
batch_size = 32
learning_rate = 0.2
epochs = 2
"""
RECIPE = Recipe(
    name="mine",
    layers=(Conv(filters=4, kernel=5, stride=3), BatchNorm(), AveragePool()),
    batch_size=32,
    learning_rate=0.2,
    epochs=2,
)


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(text: str) -> None:
    Path("pyproject.toml").write_text(text)


def test_a_recipe_is_found_from_a_subfolder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(SMALL)
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    assert own_recipes.find("mine") == RECIPE
    assert own_recipes.find("plain") == recipes.PLAIN
    with pytest.raises(UsageError) as caught:
        own_recipes.find("min")
    assert caught.value.expected == "one of default, plain, accurate, small, tiny, mine"
    assert caught.value.remedy == "Write mine."


def test_a_recipe_may_have_any_layer_and_setting() -> None:
    write(
        """[tool.mnist-tasks.recipes.mine]
layers = [
    { layer = "Conv", filters = 12, kernel = 3, batch_norm = true },
    { layer = "SeparableConv", filters = 24, kernel = 3, padding = "same", batch_norm = true },
    { layer = "GlobalAveragePool" },
]
epochs = 20
batch_size = 64
optimizer = "sgd"
learning_rate = 0.15
warmup_fraction = 0.2
final_learning_rate_fraction = 0
momentum = 0.9
weight_decay = 1e-4
label_smoothing = 0.1
max_shift = 1.5
max_rotation = 12
max_scaling = 0.1
max_shear = 0.15
"""
    )
    assert own_recipes.find("mine") == Recipe(
        name="mine",
        layers=(
            Conv(filters=12, kernel=3, batch_norm=True),
            SeparableConv(filters=24, kernel=3, padding="same", batch_norm=True),
            GlobalAveragePool(),
        ),
        epochs=20,
        batch_size=64,
        optimizer="sgd",
        learning_rate=0.15,
        warmup_fraction=0.2,
        final_learning_rate_fraction=0,
        momentum=0.9,
        weight_decay=1e-4,
        label_smoothing=0.1,
        max_shift=1.5,
        max_rotation=12,
        max_scaling=0.1,
        max_shear=0.15,
    )


def test_without_a_project_there_are_the_recipes_of_the_package() -> None:
    assert own_recipes.find("default") == recipes.DEFAULT
    with pytest.raises(UsageError) as caught:
        own_recipes.find("mine")
    assert (caught.value.subject, caught.value.found) == ("--recipe", "mine")


@pytest.mark.parametrize(
    ("change", "key", "found"),
    [
        (("batch_size = 32", "batch_sizes = 32"), "batch_sizes", "no such key"),
        (("epochs = 2", "epochs = 0"), "epochs", "0"),
        (("epochs = 2", "name = 'x'"), "name", "no such key"),
        (("epochs = 2", "optimizer = 'adam'"), "optimizer", '"adam"'),
        (("epochs = 2", "max_shift = 4.5"), "max_shift", "4.5"),
        (("epochs = 2", "base = 'default'"), "base", "no such key"),
        (("filters = 4", "filters = 0"), "layers[0].filters", "0"),
        (("filters = 4", "filter = 4"), "layers[0].filter", "no such key"),
        (('"BatchNorm"', '"BatchNormalization"'), "layers[1].layer", '"BatchNormalization"'),
        (('"BatchNorm"', "3"), "layers[1].layer", "3"),
        (('layer = "BatchNorm"', "momentum = 0.9"), "layers[1].layer", "nothing"),
        (('{ layer = "AveragePool" }', "[]"), "layers[2]", "[]"),
    ],
)
def test_an_error_names_the_path_to_the_key(change: tuple[str, str], key: str, found: str) -> None:
    assert change[0] in SMALL
    write(SMALL.replace(*change))
    with pytest.raises(UsageError) as caught:
        own_recipes.find("default")
    assert caught.value.subject == f"pyproject.toml: tool.mnist-tasks.recipes.mine.{key}"
    assert caught.value.found == found


def test_the_nearest_name_is_given() -> None:
    write(SMALL.replace('"AveragePool"', '"averagepooling"'))
    with pytest.raises(UsageError) as caught:
        own_recipes.find("default")
    assert caught.value.remedy == "Write AveragePool."


@pytest.mark.parametrize("key", ["layers", "batch_size", "learning_rate"])
def test_a_missing_key_is_named(key: str) -> None:
    lines = ["layers = []", "batch_size = 32", "learning_rate = 0.2"]
    write(TABLE + "\n".join(line for line in lines if not line.startswith(key)))
    with pytest.raises(UsageError) as caught:
        own_recipes.find("mine")
    assert caught.value.subject == "pyproject.toml: [tool.mnist-tasks.recipes.mine]"
    assert caught.value.expected == f"a table with the key {key}"


@pytest.mark.parametrize("name", ["default", "'../x'", "'a b'", "''", "-x", "a" * 41])
def test_an_invalid_name_is_refused(name: str) -> None:
    write(SMALL.replace("recipes.mine", f"recipes.{name}"))
    with pytest.raises(UsageError) as caught:
        own_recipes.find("default")
    assert name.strip("'") in caught.value.subject


@pytest.mark.parametrize(
    ("layers", "subject", "found"),
    [
        ([Conv(filters=1, kernel=29)], "layers[0], Conv", "28 x 20 pixels"),
        ([MaxPool(size=5), MaxPool(), Conv(filters=1, kernel=3)], "layers[2], Conv", "2 x 2"),
        ([SeparableConv(filters=1, kernel=21)], "layers[0], SeparableConv", "28 x 20 pixels"),
        ([GlobalAveragePool(), MaxPool()], "layers[1], MaxPool", "1 x 1 pixels"),
        ([AveragePool(size=20), MaxPool()], "layers[1], MaxPool", "1 x 1 pixels"),
        ([Conv(filters=1, kernel=5, stride=20, padding="same"), MaxPool()], "layers[1]", "2 x 1"),
    ],
)
def test_a_layer_that_gets_too_few_pixels_is_named(
    layers: list[LayerSpec], subject: str, found: str
) -> None:
    recipe = Recipe(name="a", layers=tuple(layers), batch_size=1, learning_rate=1.0)
    with pytest.raises(UsageError) as caught:
        layer_specs.require_images(recipe.layers, "a", 28, 20)
    assert caught.value.subject.startswith(f"recipe a: {subject}")
    assert caught.value.found.startswith(found)


def test_what_fits_exactly_is_accepted() -> None:
    for layers in (
        (),
        (Conv(filters=1, kernel=20),),
        (GlobalAveragePool(), Conv(filters=1, kernel=1), SeparableConv(filters=1, kernel=1)),
        (MaxPool(size=20), Dropout(rate=0.1), Conv(filters=1, kernel=9, padding="same")),
    ):
        recipe = Recipe(name="a", layers=layers, batch_size=1, learning_rate=1.0)
        layer_specs.require_images(recipe.layers, "a", 28, 20)


def test_a_run_names_its_recipe_and_records_it_whole() -> None:
    config = TrainingConfig(recipe=RECIPE, epochs=3)
    resolved = recipes.resolve(config)
    assert (resolved.name, resolved.epochs, resolved.layers) == ("mine", 3, RECIPE.layers)
    assert "--recipe mine" in run.command(config)
    assert list(as_record(RECIPE))[:2] == ["name", "layers"]


def test_a_sweep_trains_the_recipes_of_the_project() -> None:
    base = Plan(settings=search_space.grid(["mine"], {}), seeds=(0,), recipes={"mine": RECIPE})
    (job,) = base.jobs(Path())
    assert job.id.startswith("mine-")
    assert recipes.resolve(job.config) == RECIPE
    assert base.name != replace(base, recipes={"mine": replace_rate(0.3)}).name
    Path("plan.toml").write_text("recipes = ['mine', 'plain']\nseeds = [0]\n")
    planned = plan_file.load(Path("plan.toml"), base)
    assert [job.setting.recipe for job in planned.jobs(Path())] == ["mine", "plain"]
    Path("plan.toml").write_text("seeds = [0]\nset.epochs = [1, 2]\n")
    planned = plan_file.load(Path("plan.toml"), base)
    assert [job.setting.name for job in planned.jobs(Path())] == [
        "mine epochs=1",
        "mine epochs=2",
    ]


def test_a_sweep_refuses_a_layer_that_gets_too_few_pixels_before_it_runs() -> None:
    deep = Recipe(name="deep", layers=(MaxPool(size=8),) * 2, batch_size=1, learning_rate=0.1)
    plan = Plan(settings=search_space.grid(["deep"], {}), recipes={"deep": deep})
    with pytest.raises(UsageError) as caught:
        plan.require_images()
    assert caught.value.subject == "recipe deep: layers[1], MaxPool"


def replace_rate(rate: float) -> Recipe:
    return Recipe(name="mine", layers=RECIPE.layers, batch_size=32, learning_rate=rate, epochs=2)


@pytest.mark.slow
def test_a_project_trains_its_recipe_from_a_subfolder(
    small_cli: Callable[..., Run], tmp_path: Path
) -> None:
    write(
        "[tool.mnist-tasks]\nrecipe = 'mine'\nruns = 'out/runs'\noutput = 'out/m.keras'\n"
        f"contract = {{ accuracy_above = 0.0 }}\n{SMALL}"
    )
    (tmp_path / "sub" / "theirs").mkdir(parents=True)
    done = small_cli("train", "--limit", "128", "--json", folder="sub")
    assert done.returncode == 0, done.stderr
    record = run_store.read(tmp_path / "out" / "runs" / result_of(done)["id"] / "run.json")
    assert record.recipe == json.loads(json.dumps(as_record(RECIPE)))
    assert (tmp_path / "out" / "m.keras").is_file()

    checked = small_cli("check", "--json", folder="sub")
    (only,) = result_of(checked)["checks"]
    assert (only["path"], only["check"]["contract"]) == ("../out/m.keras", "../pyproject.toml")
    assert checked.returncode == 0
    # Beside the model is a contract that anybody may have written.
    theirs = tmp_path / "sub" / "theirs"
    (theirs / "m.keras").write_bytes((tmp_path / "out" / "m.keras").read_bytes())
    (theirs / "pyproject.toml").write_text(
        "[tool.mnist-tasks.contract]\naccuracy_above = 0.0\nparameters_below = 2\n"
    )
    shown = small_cli("check", "theirs/m.keras", folder="sub")
    assert (shown.returncode, "Contract: ../pyproject.toml" in shown.stdout) == (0, True)
    write("[project]\nname = 'x'\n")
    shown = small_cli("check", "theirs/m.keras", folder="sub")
    assert (shown.returncode, "Contract: the default contract" in shown.stdout) == (1, True)
