"""The ledger of looks at the test images, and what their number does to the best model."""

from __future__ import annotations

import hashlib
import threading
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mnist_tasks import check_store, locks, look_counts, looks, pruning, run_store
from mnist_tasks.check_records import Layer
from mnist_tasks.code_records import NetworkSource
from mnist_tasks.look_counts import Looks
from mnist_tasks.looks import Look
from mnist_tasks.records import Trial
from tests import examples

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mnist_tasks.check_records import Check
    from mnist_tasks.records import RunRecord

IMAGES = "12" * 32


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def check(model: str, **changes: object) -> Check:
    """Return a check of a model with this content, on 100 images of which 90 are correct."""
    file = replace(examples.MODEL, sha256=sha256(model))
    found = replace(examples.check(), model=file, test_images=IMAGES)
    return replace(found, **changes)  # type: ignore[arg-type]


def run(number: int, *, checked: bool = True, **recipe: object) -> RunRecord:
    """Return a run whose model nothing else has."""
    found = check(f"model {number}")
    return replace(
        examples.run(number),
        model=found.model,
        recipe={"name": "default"} | recipe,
        check=found if checked else None,
    )


def lines(runs: Path) -> list[str]:
    return (runs / looks.FILE_NAME).read_text().splitlines()


def counted(runs: Path, model: str = "a") -> Looks:
    own = looks.of(check_store.as_record(check(model)))
    assert own is not None
    found = look_counts.count([own], runs)
    assert found is not None
    return found


def test_a_model_is_counted_once_for_the_same_images(tmp_path: Path) -> None:
    for model in ("a", "b", "a"):
        check_store.attach(check(model), tmp_path)
    assert len(lines(tmp_path)) == 2
    check_store.attach(check("a", test_images="34" * 32), tmp_path)
    assert len(lines(tmp_path)) == 3
    found = counted(tmp_path)
    assert (found.models, found.recipes, found.from_elsewhere, found.images) == (2, 0, 2, 100)


def test_seeds_of_a_recipe_are_models_and_its_settings_are_recipes(tmp_path: Path) -> None:
    made = [run(0), run(1), run(2, batch_size=7), run(3, name="other")]
    for record in made:
        run_store.save(replace(record, check=None), tmp_path)
        assert record.check
        check_store.attach(record.check, tmp_path)
    check_store.attach(check("downloaded"), tmp_path)
    found = counted(tmp_path, "downloaded")
    assert (found.models, found.recipes, found.from_elsewhere) == (5, 3, 1)


def test_a_run_keeps_its_recipe_when_its_model_is_checked_elsewhere(tmp_path: Path) -> None:
    """As after `sweep --test`, whose records are in a folder of their own."""
    record = run(0)
    found = looks.of(record)
    assert found
    looks.add([found], tmp_path)
    counts = counted(tmp_path, "model 0")
    assert (counts.models, counts.recipes, counts.from_elsewhere) == (1, 1, 0)


def test_runs_on_other_images_are_of_another_recipe(tmp_path: Path) -> None:
    for number, held_out in enumerate([0, 0, 6_000]):
        found = looks.of(replace(run(number), validation=held_out))
        assert found
        looks.add([found], tmp_path)
    assert counted(tmp_path, "model 0").recipes == 2


def test_networks_of_the_same_code_with_other_layers_are_of_other_recipes(tmp_path: Path) -> None:
    source = NetworkSource(path="", function="partial", text="", sha256="0" * 64)
    for number, units in enumerate([8, 8, 32]):
        layer = Layer(
            name=f"dense_{number}", kind="Dense", output_shape=(None, units), parameters=units
        )
        found = looks.of(replace(run(number), network_source=source, network=(layer,)))
        assert found
        looks.add([found], tmp_path)
    assert counted(tmp_path, "model 0").recipes == 2


def test_a_model_stays_counted_when_its_run_is_deleted(tmp_path: Path) -> None:
    record = run(0)
    path = run_store.save(replace(record, check=None), tmp_path)
    assert record.check
    check_store.attach(record.check, tmp_path)
    check_store.attach(check("a"), tmp_path)
    pruning.delete([path.parent, *check_store.old(tmp_path, 0)], tmp_path)
    assert run_store.list_runs(tmp_path).runs == ()
    assert counted(tmp_path).models == 2


def test_runs_that_were_checked_before_there_was_a_ledger_are_counted(tmp_path: Path) -> None:
    for number in range(3):
        run_store.save(run(number), tmp_path)
    run_store.save(run(3, checked=False), tmp_path)
    found = counted(tmp_path)
    assert (found.models, found.recipes, found.from_elsewhere) == (4, 1, 1)
    # Their settings are unknown, and taken for those of the one whose settings are known.
    record = run(0)
    assert record.check
    check_store.attach(record.check, tmp_path)
    assert counted(tmp_path).recipes == 1


def test_only_the_same_images_count(tmp_path: Path) -> None:
    check_store.attach(check("a"), tmp_path)
    check_store.attach(check("b", dataset=examples.PARTS, test_images=None), tmp_path)
    check_store.attach(check("c", test_images="34" * 32), tmp_path)
    assert counted(tmp_path).models == 1
    # Of an older check, the images are known by their data set alone.
    check_store.attach(check("d", test_images=None), tmp_path)
    assert counted(tmp_path).models == 2
    # The ledger says that the run of this model was checked on other images.
    run_store.save(replace(run(0), model=check("c").model, check=check("c")), tmp_path)
    assert counted(tmp_path).models == 2


def test_validation_images_and_a_model_without_predictions_are_no_look(tmp_path: Path) -> None:
    trial = Trial(
        settings={},
        evaluated_on="validation",
        metrics=examples.metrics(),
        worker="here:1",
        attempts=1,
    )
    record = run(0, checked=False)
    assert looks.of(replace(record, trial=trial)) is None
    assert looks.of(replace(record, trial=replace(trial, evaluated_on="test")))
    assert look_counts.count([], tmp_path) is None
    check_store.attach(check("a", metrics=None), tmp_path)
    assert not (tmp_path / looks.FILE_NAME).exists()


def test_checks_at_the_same_time_are_all_counted(tmp_path: Path) -> None:
    def attach(first: int) -> None:
        for number in range(first, first + 5):
            check_store.attach(check(str(number)), tmp_path)

    threads = [threading.Thread(target=attach, args=[first]) for first in range(0, 20, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(lines(tmp_path)) == 20
    assert counted(tmp_path, "0").models == 20


@pytest.mark.parametrize(
    "damage",
    ['{"model": "', "[" * 100_000, "\xff", "{}", '{"correct": 101, "count": 100}'],
    ids=lambda text: str(text)[:9],
)
def test_a_line_that_is_not_whole_is_skipped(tmp_path: Path, damage: str) -> None:
    check_store.attach(check("a"), tmp_path)
    path = tmp_path / looks.FILE_NAME
    if "correct" in damage:
        damage = lines(tmp_path)[0].replace('"correct":90', '"correct":101')
        damage = damage.replace(sha256("a"), sha256("z"))
    path.write_bytes(path.read_bytes() + damage.encode("latin-1"))
    check_store.attach(check("b"), tmp_path)
    assert len(lines_of_bytes := path.read_bytes().splitlines()) == 3
    assert sha256("b").encode() in lines_of_bytes[2]
    assert counted(tmp_path).models == 2


@pytest.mark.parametrize("obstacle", ["a folder", "too large", "runs is a file", "locked"])
def test_a_ledger_that_cannot_be_kept_fails_no_check(
    tmp_path: Path, obstacle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = tmp_path / "runs"
    monkeypatch.setattr(looks, "_LOCK_TIMEOUT", 0.1)
    if obstacle == "runs is a file":
        runs.write_text("")
    elif obstacle == "a folder":
        (runs / looks.FILE_NAME).mkdir(parents=True)
    elif obstacle == "locked":
        runs.mkdir()
    else:
        runs.mkdir()
        with (runs / looks.FILE_NAME).open("wb") as file:
            file.truncate(looks.LARGEST + 1)
    said: list[str] = []
    look = looks.of(check_store.as_record(check("a")))
    assert look
    held = locks.locked(runs, name=looks.LOCK_NAME, timeout=0)
    with held if obstacle == "locked" else nullcontext():
        looks.add([look], runs, on_skipped=said.append)
    assert len(said) == 1
    assert "the count of models compared on the test images: " in said[0]
    assert counted(runs).models == 1


@pytest.mark.parametrize(
    ("images", "accuracy", "models", "most"),
    [(10_000, 0.99, 17, 1.05), (1_000, 0.995, 50, 1.4), (100, 0.98, 20, 1.7)],
)
def test_the_flattery_is_that_of_equally_good_models(
    images: int, accuracy: float, models: int, most: float
) -> None:
    """Compare with draws: each model has errors of its own, or they share half of them."""
    random = np.random.default_rng(0)
    alone = random.binomial(images, accuracy, (20_000, models))
    excess = 100 * float(np.mean(alone.max(axis=1)) / images - accuracy)
    claimed = np.mean([flattery(draw, images=images) for draw in alone[:200].tolist()])
    assert excess <= claimed <= excess * most  # the normal draws of few errors are too large
    shared = random.binomial(images // 2, accuracy, (20_000, 1))
    together = shared + random.binomial(images // 2, accuracy, (20_000, models))
    assert claimed > 100 * (np.mean(together.max(axis=1)) / images - accuracy) * 1.2


def test_models_without_an_error_are_not_infallible() -> None:
    assert flattery([100] * 20, images=100) > 1
    assert flattery([100], images=100) == 0


def test_one_poor_model_does_not_make_the_best_look_lucky() -> None:
    good = [9_900, 9_901, 9_902, 9_903]
    assert flattery([*good, 1_000], images=10_000) == pytest.approx(
        flattery([*good, 9_900], images=10_000), rel=0.01
    )


def flattery(correct: Sequence[int], *, images: int) -> float:
    """Return the points for models that classified so many images correctly."""
    found = look_counts.count(
        [
            Look(
                time="",
                model=sha256(str(number)),
                recipe="default",
                settings="",
                dataset="mnist",
                images=IMAGES,
                correct=each,
                count=images,
            )
            for number, each in enumerate(correct)
        ],
        Path("no such folder"),
    )
    assert found
    return found.flattery_points
