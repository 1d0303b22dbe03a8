"""A second training with the same inputs is not needed; with any other input it is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from mnist_tasks import run_store
from mnist_tasks.config import TrainingConfig
from mnist_tasks.data import store
from mnist_tasks.records import RunRecord
from mnist_tasks.training import network_file, recipes, run, up_to_date, user_code
from mnist_tasks.training.recipe import as_record
from tests import examples
from tests.conftest import Run
from tests.json_output import result_of

MODEL = b"a model"


@pytest.fixture
def config(tmp_path: Path) -> TrainingConfig:
    return TrainingConfig(output=tmp_path / "m.h5", epochs=2, seed=3)


@pytest.fixture
def record(config: TrainingConfig, small_mnist: Path) -> RunRecord:
    """Return the record of a training of `config`, whose model is in place."""
    config.output.write_bytes(MODEL)
    made = examples.run(0)
    return replace(
        made,
        command=run.command(config),
        recipe=as_record(recipes.resolve(config)),
        data=dict(store.load(small_mnist, "train").sha256),
        machine=replace(made.machine, versions=up_to_date.versions()),
        model=replace(made.model, sha256=hashlib.sha256(MODEL).hexdigest()),
    )


@pytest.fixture
def find(
    small_mnist: Path, tmp_path: Path
) -> Callable[[TrainingConfig, RunRecord], RunRecord | str]:
    """Return a function that looks for a training in a folder with one record."""

    def find(config: TrainingConfig, record: RunRecord) -> RunRecord | str:
        run_store.save(record, tmp_path / "runs")
        return up_to_date.find(config, lambda: store.load(small_mnist, "train"), tmp_path / "runs")

    return find


Find = Callable[[TrainingConfig, RunRecord], RunRecord | str]


def test_the_same_inputs_and_the_same_file_are_up_to_date(
    config: TrainingConfig, record: RunRecord, find: Find
) -> None:
    found = find(config, record)
    assert not isinstance(found, str), found
    assert found.id == record.id


def test_settings_that_came_later_have_their_default_values(
    config: TrainingConfig, record: RunRecord, find: Find
) -> None:
    later = {"optimizer", "momentum", "max_rotation"}
    older = {name: value for name, value in record.recipe.items() if name not in later}
    first = {name: value for name, value in older["layers"][0].items() if name != "batch_norm"}
    older["layers"] = [first, *older["layers"][1:]]
    assert not isinstance(find(config, replace(record, recipe=older)), str)
    changed = {**older, "weight_decay": 0.1}
    assert find(config, replace(record, recipe=changed)) == "the recipe changed"


def test_the_files_of_a_network_are_compared(
    config: TrainingConfig,
    record: RunRecord,
    small_mnist: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.py").write_text("from helper import width\n")
    Path("helper.py").write_text("width = 3\n")
    config = replace(config, network="net.py")
    file = network_file.find("net.py")
    with network_file.importable(file.folder):
        user_code.load(file)
    recipe = {"name": "net.py", "epochs": 2, "batch_size": 80, "max_shift": 0, "optimizer": "Adam"}
    source = replace(file.source, imports=user_code.imports(file))
    assert set(source.imports) == {"helper.py"}
    made = replace(record, command=run.command(config), recipe=recipe, network_source=source)
    run_store.save(made, Path("runs"))

    def find() -> RunRecord | str:
        network = network_file.find("net.py")
        load = partial(store.load, small_mnist, "train")
        return up_to_date.find(config, load, Path("runs"), network)

    assert not isinstance(find(), str), find()
    # Not compiled, it is trained with the optimizer of the recipe.
    adagrad = {"initial_accumulator_value": 0.01, "learning_rate": 0.3, "optimizer": "adagrad"}
    run_store.save(replace(made, recipe={**recipe, **adagrad}), Path("runs"))
    assert not isinstance(find(), str), find()
    adagrad["learning_rate"] = 0.123
    run_store.save(replace(made, recipe={**recipe, **adagrad}), Path("runs"))
    assert find() == "the recipe changed"
    run_store.save(replace(made, recipe={**recipe, "max_shift": 3}), Path("runs"))
    assert find() == "the recipe changed"
    run_store.save(made, Path("runs"))
    Path("helper.py").write_text("width = 4\n")
    assert find() == "helper.py changed"
    Path("helper.py").unlink()
    assert find() == "helper.py changed"
    Path("net.py").write_text("# another\n")
    assert find() == "net.py changed"


def test_a_function_that_is_given_in_python_is_always_trained(
    config: TrainingConfig, record: RunRecord, small_mnist: Path, tmp_path: Path
) -> None:
    def build(width: int) -> None:
        raise NotImplementedError

    def of_width(width: int) -> Callable[[], None]:
        return lambda: build(width)

    for given in (partial(build, 8), of_width(8), build):
        file = network_file.of_function(given)
        named = replace(config, network=network_file.reference(file))
        made = replace(
            record, command=run.command(named), recipe={"name": "x"}, network_source=file.source
        )
        run_store.save(made, tmp_path / "runs")
        load = partial(store.load, small_mnist, "train")
        found = up_to_date.find(named, load, tmp_path / "runs", file)
        assert found == "what a function that is given in Python uses from elsewhere isn't known"


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 4},
        {"epochs": None},
        {"settings": (("max_shift", 0),)},
        {"limit": 100},
        {"threads": 77},
        {"device": "cpu"},
        {"precision": "mixed_bfloat16"},
    ],
    ids=str,
)
def test_other_settings_are_not(
    change: dict[str, object], config: TrainingConfig, record: RunRecord, find: Find
) -> None:
    assert find(replace(config, **change), record) == "the settings changed"  # type: ignore[arg-type]


def test_another_file_or_record_is_not(
    config: TrainingConfig, record: RunRecord, find: Find
) -> None:
    assert find(config, replace(record, recipe={**record.recipe, "batch_size": 7})) == (
        "the recipe changed"
    )
    one = next(iter(record.data))
    assert find(config, replace(record, data={**record.data, one: "0" * 64})) == "the data changed"
    for name in ("mnist-tasks", "python", "tensorflow", "keras", "numpy"):
        versions = {**record.machine.versions, name: "0.1"}
        older = replace(record, machine=replace(record.machine, versions=versions))
        assert find(config, older) == "a version changed"
    config.output.write_bytes(b"another model")
    assert str(find(config, record)).startswith("no run in ")
    config.output.unlink()
    assert str(find(config, record)).startswith("there is no ")


@pytest.mark.slow
def test_a_second_training_is_skipped_without_tensorflow(
    small_cli: Callable[..., Run], tmp_path: Path
) -> None:
    first = small_cli("train", "--if-needed", "--json")
    assert first.returncode == 0, first.stderr
    assert "Training, since there is no model_latest.h5 yet." in first.stderr
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "tensorflow.py").write_text("raise SystemExit('TensorFlow is loaded')")
    broken = {"PYTHONPATH": str(tmp_path / "broken")}
    second = small_cli("train", "--if-needed", "--json", env=broken)
    assert second.returncode == 0, second.stderr
    assert "Up to date: model_latest.h5" in second.stderr
    assert result_of(second) == result_of(first)
    other = small_cli("train", "--if-needed", "--seed", "1", env=broken)
    assert "Training, since the settings changed." in other.stderr
    assert other.returncode != 0
