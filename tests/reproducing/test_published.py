"""The records of published figures are complete and small, and a session repeats them."""

from __future__ import annotations

import runpy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

import noxfile
from mnist_tasks import run_store
from mnist_tasks.check_records import Layer
from mnist_tasks.checking import contract_file
from mnist_tasks.code_records import NetworkSource
from mnist_tasks.records import RunRecord, Trial
from mnist_tasks.reproducing import recorded
from mnist_tasks.training import recipes
from mnist_tasks.training.recipe import as_record
from tests import examples

PROJECT = Path(__file__).parents[2]
RECORDS = sorted((PROJECT / noxfile.RECORDS).glob("*/*.json"))
KEEP = runpy.run_path(str(PROJECT / "benchmarks" / "keep_records.py"))


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: f"{path.parent.name} {path.stem}")
def test_a_published_record_can_be_repeated(path: Path) -> None:
    record = run_store.read(path)
    config = recorded.read(record, str(path), network=None).config
    assert path.parent.name == str(config.recipe) == record.recipe["name"]
    assert path.stem == f"seed-{config.seed}"
    assert KEEP["metrics"](record).images == 10_000
    assert record.machine.cpu
    assert path.stat().st_size < 15_000  # whatever its number of epochs
    assert not record.trial or not record.trial.worker
    assert "/" not in record.command


PUBLISHED = sorted({path.parent.name for path in RECORDS})


def test_recipes_are_published_with_a_contract() -> None:
    contracts = {path.stem for path in (PROJECT / "contracts").iterdir()}
    assert contracts == set(PUBLISHED) <= set(recipes.RECIPES)
    assert "default" in PUBLISHED


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_recipe_meets_its_contract(name: str) -> None:
    contract = contract_file.load(PROJECT / "contracts" / f"{name}.toml").contract
    runs = [run_store.read(path) for path in RECORDS if path.parent.name == name]
    lowest = min(KEEP["metrics"](record).accuracy for record in runs)
    assert len(runs) == 10
    assert contract.accuracy_above < lowest < contract.accuracy_above + 0.005
    assert {record.model.parameters for record in runs} == {runs[0].model.parameters}
    assert runs[0].model.parameters < contract.parameters_below


LAYER = Layer(name="a", kind="Dense", output_shape=(None, 10), parameters=3, operations=700)


def run(seed: int, **changed: Any) -> RunRecord:
    trial = Trial(
        settings={}, evaluated_on="test", metrics=examples.metrics(), worker="here:1", attempts=1
    )
    defaults: dict[str, Any] = {"trial": trial, "recipe": as_record(recipes.DEFAULT)}
    path = f"sweeps/x/default-{seed}/model.h5"
    made = examples.run(seed)
    return replace(
        made,
        command=f"mnist-tasks train --output {path}",
        model=replace(made.model, path=path),
        network=(LAYER, replace(LAYER, operations=None), LAYER),
        **defaults | changed,
    )


def test_a_sweep_is_kept_without_what_is_not_needed(tmp_path: Path) -> None:
    trial = run(0).trial
    assert trial
    chosen = replace(trial, settings={"max_shift": 0})
    validated = replace(trial, evaluated_on="validation")
    others: list[dict[str, Any]] = [
        {"trial": chosen, "recipe": as_record(structs.replace(recipes.DEFAULT, max_shift=0))},
        {"trial": validated},
        {"recipe": as_record(structs.replace(recipes.DEFAULT, epochs=9))},
        {"recipe": as_record(structs.replace(recipes.DEFAULT, name="../../elsewhere"))},
        {"limit": 500},
        {"validation": 500},
        {"dataset": examples.PARTS},
        {"network_source": NetworkSource(path="", function="f", text="", sha256="ab" * 32)},
    ]
    for seed, changed in enumerate([{}, {}, *others]):
        examples.write(run(seed, **changed), tmp_path / "sweep")
    paths = KEEP["keep"](tmp_path / "sweep", tmp_path / "kept")
    assert [path.name for path in paths] == ["seed-0.json", "seed-1.json"]
    kept = run_store.read(paths[1])
    assert (kept.curve, kept.command, kept.model.path) == (
        (),
        "mnist-tasks train --output model.h5",
        "model.h5",
    )
    assert kept.epochs == run(1).epochs[-1:]
    assert kept.trial == replace(trial, worker="")
    *_, row = KEEP["figures"](tmp_path / "kept")
    assert row == "| default | 21,586 | 1,400 | 1 | 2 | 4 s | 2 | 90.00 ± 0.00% | 90.00% |"


def test_the_first_seed_of_each_recipe_is_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(noxfile, "RECORDS", tmp_path)
    for name in ("default/seed-10", "default/seed-9", "tiny/seed-0"):
        path = tmp_path / f"{name}.json"
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert noxfile.published([]) == {
        "default": tmp_path / "default/seed-9.json",
        "tiny": tmp_path / "tiny/seed-0.json",
    }
    assert noxfile.published(["tiny"]) == {"tiny": tmp_path / "tiny/seed-0.json"}
    with pytest.raises(SystemExit, match="no records of small, but of default, tiny"):
        noxfile.published(["small"])
