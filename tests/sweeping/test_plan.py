"""The runs of a plan; an ID depends on everything that decides a result, and on nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from mnist_tasks.data import datasets
from mnist_tasks.errors import UsageError
from mnist_tasks.sweeping import plan, search_space
from mnist_tasks.sweeping.plan import Plan
from mnist_tasks.sweeping.search_space import Setting
from mnist_tasks.training import recipes, run

FOLDER = Path("sweeps/x")


def test_a_grid_is_every_recipe_with_every_combination() -> None:
    found = search_space.grid(["default", "plain"], {"max_shift": (0, 1), "ema_momentum": (0.0,)})
    assert [each.name for each in found] == [
        "default ema_momentum=0.0 max_shift=0",
        "default ema_momentum=0.0 max_shift=1",
        "plain ema_momentum=0.0 max_shift=0",
        "plain ema_momentum=0.0 max_shift=1",
    ]
    assert search_space.grid(["plain", "plain"], {}) == (Setting(recipe="plain"),)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0-3", (0, 1, 2, 3)),
        ("7", (7,)),
        ("0,3,7-9", (0, 3, 7, 8, 9)),
        ("3, 1", (3, 1)),
        ("1,0-2", (1, 0, 2)),
    ],
)
def test_seeds_are_parsed(text: str, expected: tuple[int, ...]) -> None:
    assert search_space.parse_seeds(text) == expected


@pytest.mark.parametrize("text", ["", "a", "3-1", "-1", "1-", "0-9-3", "4294967296", 5000 * "9"])
def test_invalid_seeds_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--seeds"):
        search_space.parse_seeds(text)


def test_too_many_runs_are_refused_before_they_are_created() -> None:
    values = {name: list(range(1, 1001)) for name in ("epochs", "batch_size", "learning_rate")}
    for make in (
        lambda: search_space.grid(["default"], values),
        lambda: search_space.parse_seeds("0-999999"),
    ):
        with pytest.raises(UsageError) as caught:
            make()
        assert caught.value.expected == "from 1 to 100,000 runs"


def test_every_setting_runs_with_one_seed_before_the_next_seed() -> None:
    jobs = Plan(settings=search_space.grid(["default"], {"max_shift": (0, 1)}), seeds=(5, 6)).jobs(
        FOLDER
    )
    assert [(job.setting.values, job.config.seed) for job in jobs] == [
        ((("max_shift", 0),), 5),
        ((("max_shift", 1),), 5),
        ((("max_shift", 0),), 6),
        ((("max_shift", 1),), 6),
    ]
    assert len({job.id for job in jobs}) == 4
    assert jobs[0].config.output == FOLDER / jobs[0].id / "model.h5"


def test_the_last_sixth_of_the_training_images_is_for_validation() -> None:
    assert plan.validation_images(datasets.MNIST) == 10_000
    (validation,) = Plan(seeds=(0,)).jobs(FOLDER)
    assert validation.config.limit == 50_000
    (test,) = Plan(seeds=(0,), evaluated_on="test").jobs(FOLDER)
    assert test.config.limit is None
    with pytest.raises(UsageError, match="--limit"):
        Plan(limit=50_001)
    assert Plan(limit=50_001, evaluated_on="test").limit == 50_001
    with pytest.raises(UsageError) as caught:
        Plan(limit=60_001, evaluated_on="test")
    assert caught.value.expected == "a whole number from 1 to 60,000"


def test_another_data_set_has_runs_of_its_own() -> None:
    fashion = datasets.FASHION_MNIST
    images, labels = fashion.train
    changed = replace(fashion, train=(replace(images, sha256="0" * 64), labels))
    jobs = [Plan(seeds=(0,), dataset=each).jobs(FOLDER)[0] for each in (datasets.MNIST, fashion)]
    jobs += Plan(seeds=(0,), dataset=changed).jobs(FOLDER)
    assert len({job.id for job in jobs}) == 3
    assert [job.config.dataset for job in jobs] == ["mnist", "fashion-mnist", "fashion-mnist"]
    larger = replace(fashion, train=(replace(images, shape=(1_000_000, 28, 28)), labels))
    assert plan.validation_images(larger) == 60_000
    assert Plan(limit=940_000, dataset=larger).limit == 940_000


def test_the_command_of_a_job_has_all_its_options() -> None:
    job = Plan(settings=(Setting(recipe="plain", values=(("max_shift", 1),)),), seeds=(3,)).jobs(
        FOLDER
    )[0]
    command = run.command(job.config)
    for words in (
        "--recipe plain",
        "--seed 3",
        "--limit 50000",
        "--threads 1",
        "--set max_shift=1",
    ):
        assert words in command


CHANGES = [
    {"settings": (Setting(values=(("max_shift", 0),)),)},
    {"settings": (Setting(recipe="plain"),)},
    {"evaluated_on": "test"},
    {"limit": 100},
    {"threads": 2},
    {"device": "gpu"},
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_the_result_changes_the_id(change: dict[str, object]) -> None:
    first = Plan(seeds=(0,))
    other = replace(first, **change)  # type: ignore[arg-type]
    assert first.jobs(FOLDER)[0].id != other.jobs(FOLDER)[0].id
    assert first.name != other.name


def test_editing_a_recipe_changes_the_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    first = Plan(seeds=(0,))
    name, before = first.name, first.jobs(FOLDER)[0].id
    edited = msgspec.structs.replace(recipes.DEFAULT, layers=recipes.DEFAULT.layers[:-1])
    monkeypatch.setitem(recipes.RECIPES, "default", edited)
    assert first.jobs(FOLDER)[0].id != before
    assert first.name != name


def test_more_seeds_or_another_folder_keep_the_ids() -> None:
    few = [job.id for job in Plan(seeds=(0, 1)).jobs(FOLDER)]
    more = [job.id for job in Plan(seeds=(0, 1, 2)).jobs(Path("elsewhere"))]
    assert more[:2] == few


@pytest.mark.parametrize(
    "wrong",
    [
        {"settings": (Setting(recipe="pancakes"),)},
        {"settings": (Setting(values=(("max_shift", 9),)),)},
        {"settings": ()},
        {"seeds": tuple(range(100_001))},
        {"limit": 0},
        {"threads": 0},
        {"device": "toaster"},
        {"device": "auto"},
    ],
)
def test_an_invalid_plan_is_refused_at_once(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        Plan(**wrong)  # type: ignore[arg-type]
