"""What a record says of a training becomes the configuration of another one, or an error."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mnist_tasks import record_json
from mnist_tasks.code_records import NetworkSource, Script
from mnist_tasks.config import TrainingConfig
from mnist_tasks.errors import InputRefusedError, UsageError
from mnist_tasks.records import RunRecord
from mnist_tasks.reproducing import recorded
from mnist_tasks.reproducing.recorded import Repeatable
from mnist_tasks.training import network_file, recipes, run
from mnist_tasks.training.recipe import Recipe, as_record
from tests import examples

GOLDEN = Path(__file__).parents[1] / "records" / "first" / "run.json"
OWN = msgspec.structs.replace(recipes.PLAIN, name="mine", batch_size=17, ema_momentum=0.9)


def record(recipe: Recipe = OWN, **changed: Any) -> RunRecord:
    """Return a record as it is read from a file."""
    made = replace(examples.run(3), recipe=as_record(recipe), **changed)
    read = record_json.parse(record_json.to_json(made))
    assert isinstance(read, RunRecord)
    return read


def read(of: RunRecord, network: str | None = None, **changed: Any) -> Repeatable:
    return recorded.read(of, "run.json", network=network, **changed)


def test_everything_that_decides_the_result_is_the_records() -> None:
    made = record(limit=200, validation=30)
    machine = replace(made.machine, threads=7, precision="mixed_bfloat16")
    model = replace(made.model, path="elsewhere/m.keras")
    found = read(replace(made, machine=machine, model=model)).config
    assert found == TrainingConfig(
        recipe=OWN,
        seed=3,
        limit=200,
        validation=30,
        device="cpu",
        threads=7,
        precision="mixed_bfloat16",
        output=found.output,
    )
    assert found.output.name == "model.keras"
    assert recipes.resolve(found) == OWN  # which no project here has


def test_a_recipe_of_today_does_not_replace_the_recorded_one() -> None:
    before = msgspec.structs.replace(recipes.DEFAULT, learning_rate=0.123)
    assert recipes.resolve(read(record(before)).config).learning_rate == 0.123


def test_settings_that_an_older_version_did_not_have_are_the_defaults() -> None:
    made = record()
    old = {name: made.recipe[name] for name in ("name", "layers", "batch_size", "learning_rate")}
    found = recipes.resolve(read(replace(made, recipe=old)).config)
    assert found == Recipe(**{**old, "layers": OWN.layers})


def test_a_record_of_the_first_version_can_be_repeated() -> None:
    first = record_json.parse(GOLDEN.read_bytes())
    assert isinstance(first, RunRecord)
    found = read(first)
    resolved = recipes.resolve(found.config)
    assert (resolved.ema_momentum, resolved.micro_batches, len(resolved.layers)) == (0.99, 2, 10)
    assert found.removed == (("average_from", 0.6),)


@pytest.mark.parametrize(
    ("device", "replicas", "option"),
    [("CPU", 1, "cpu"), ("GPU (NVIDIA H100)", 1, "gpu"), ("2 × GPU (NVIDIA H100)", 2, "all")],
)
def test_the_kind_of_device_is_the_records(device: str, replicas: int, option: str) -> None:
    made = record()
    made = replace(made, machine=replace(made.machine, device=device, replicas=replicas))
    assert read(made).config.device == option
    other = read(made, device="auto", threads=5).config
    assert (other.device, other.threads) == ("auto", 5)


@pytest.mark.parametrize("wrong", [{"threads": 0}, {"device": "tpu"}])
def test_an_option_that_is_not_valid_is_the_users_error(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=f"^--{next(iter(wrong))}"):
        read(record(), **wrong)


@pytest.mark.parametrize(
    "changed",
    [
        {"script": Script(path="mine.py", sha256="0" * 64, text="")},
        {"seed": None},
    ],
)
def test_what_no_command_trained_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(InputRefusedError) as caught:
        read(record(**changed))
    assert caught.value.reason == "not-repeatable"


def forged(made: RunRecord, kind: str) -> RunRecord:
    """Return a record with a value that no training can have."""
    recipe, machine = made.recipe, made.machine
    return {
        "a setting": lambda: replace(made, recipe=recipe | {"nosuch": 1}),
        "a value": lambda: replace(made, recipe=recipe | {"batch_size": 0}),
        "a layer": lambda: replace(made, recipe=recipe | {"layers": [{"layer": "Lambda"}]}),
        "a name": lambda: replace(made, recipe=recipe | {"name": "a/b"}),
        "a long name": lambda: replace(made, recipe=recipe | {"name": "x" * 101}),
        "no layers": lambda: replace(made, recipe={"name": "default", "batch_size": 9}),
        "threads": lambda: replace(made, machine=replace(machine, threads=10**9)),
        "precision": lambda: replace(made, machine=replace(machine, precision="float8")),
        "seed": lambda: replace(made, seed=2**40),
        "limit": lambda: replace(made, limit=10**9),
        "model": lambda: replace(made, model=replace(made.model, path="m.exe")),
    }[kind]()


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("a setting", "nosuch"),
        ("a value", "batch_size"),
        ("a layer", "Lambda"),
        ("a name", "name"),
        ("a long name", "name"),
        ("no layers", "layers"),
        ("threads", "threads: 1000000000"),
        ("precision", "float8"),
        ("seed", "seed"),
        ("limit", "limit"),
        ("model", "model.exe"),
    ],
)
def test_a_record_with_another_value_is_refused(kind: str, found: str) -> None:
    with pytest.raises(InputRefusedError) as caught:
        read(forged(record(), kind))
    assert (caught.value.subject, caught.value.reason) == ("run.json", "record-invalid")
    assert found in caught.value.found


# Networks of the user's own.


@pytest.fixture
def network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunRecord:
    """Return the record of a run of a network in the current folder, which imports another file."""
    monkeypatch.chdir(tmp_path)
    Path("nets").mkdir()
    Path("nets/net.py").write_text("from helper import width\n")
    Path("nets/helper.py").write_text("width = 10\n")
    file = network_file.find("nets/net.py:small")
    helper = network_file.find("nets/helper.py").source.sha256
    config = TrainingConfig(network="nets/net.py:small", epochs=4)
    recipe = as_record(recipes.resolve(config)) | {"optimizer": "Adagrad"}
    return replace(
        examples.run(),
        recipe={name: recipe[name] for name in recipe.keys() - {"layers", "ema_momentum"}},
        command=run.command(config),
        network_source=replace(file.source, imports={"nets/helper.py": helper}),
    )


def test_a_network_that_is_the_same_can_be_trained_again(network: RunRecord) -> None:
    assert recorded.reference(network) == "nets/net.py:small"
    found = read(network, "nets/net.py:small")
    assert found.network is not None
    assert found.network.source.function == "small"
    resolved = recipes.resolve(found.config)
    assert (resolved.epochs, resolved.batch_size) == (4, recipes.DEFAULT.batch_size)
    assert (resolved.layers, resolved.ema_momentum) == ((), 0)


def test_images_are_moved_as_they_were_for_a_network(network: RunRecord) -> None:
    moved = {"max_shift": 1, "max_rotation": 5.0, "max_scaling": 0.1, "max_shear": 0.2}
    recipe = {**network.recipe, **moved}
    found = recipes.resolve(read(replace(network, recipe=recipe), "nets/net.py:small").config)
    assert {name: getattr(found, name) for name in moved} == moved


def test_a_network_can_have_moved(network: RunRecord) -> None:
    Path("nets").rename("moved")
    assert read(network, "moved/net.py:small").network is not None
    Path("moved/helper.py").write_text("width = 11\n")
    with pytest.raises(InputRefusedError, match=r"^moved/helper\.py"):
        read(network, "moved/net.py:small")


def test_an_import_that_can_be_no_file_is_refused(network: RunRecord) -> None:
    assert network.network_source is not None
    source = replace(network.network_source, imports={"": "ab" * 32})
    with pytest.raises(InputRefusedError) as caught:
        read(replace(network, network_source=source), "nets/net.py:small")
    assert caught.value.reason == "code-changed"


def test_nothing_is_written_where_the_record_is_read(network: RunRecord) -> None:
    Path("model.h5").mkdir()
    assert read(network, "nets/net.py:small").config.seed == network.seed


@pytest.mark.parametrize("changed", ["nets/net.py", "nets/helper.py"])
def test_a_file_that_changed_is_refused(network: RunRecord, changed: str) -> None:
    with Path(changed).open("a") as file:
        file.write("\n")
    with pytest.raises(InputRefusedError) as caught:
        read(network, "nets/net.py:small")
    assert (caught.value.subject, caught.value.reason) == (changed, "code-changed")


def test_a_file_that_is_gone_is_refused(network: RunRecord) -> None:
    Path("nets/helper.py").unlink()
    with pytest.raises(InputRefusedError) as caught:
        read(network, "nets/net.py:small")
    assert (caught.value.subject, caught.value.found) == ("nets/helper.py", "no such file")
    Path("nets/net.py").unlink()
    with pytest.raises(InputRefusedError) as caught:
        read(network, "nets/net.py:small")
    assert caught.value.reason == "file-missing"


def test_code_is_run_only_if_it_is_named(network: RunRecord) -> None:
    with pytest.raises(UsageError, match="--network") as caught:
        read(network, None)
    assert "nets/net.py, function small" in str(caught.value.expected)
    with pytest.raises(UsageError, match="--network"):
        read(network, "nets/net.py:other")
    with pytest.raises(UsageError, match="--network"):
        read(record(), "nets/net.py")


def test_a_network_without_a_text_is_not_repeated(network: RunRecord) -> None:
    source = NetworkSource(path="", function="partial", text="", sha256="0" * 64)
    for named in (None, "nets/net.py:small"):
        with pytest.raises(InputRefusedError, match="partial, which was given in Python") as caught:
            read(replace(network, network_source=source), named)
        assert caught.value.reason == "not-repeatable"


def test_the_learning_rate_of_an_own_optimizer_is_set_only_if_it_was_named(
    network: RunRecord,
) -> None:
    # What is recorded of the network's own rate is rounded.
    own = replace(network, recipe=network.recipe | {"learning_rate": 0.01, "optimizer": "Adam"})
    assert read(own, "nets/net.py:small").config.learning_rate is None
    for words in ("--learning-rate 0.01", "--set learning_rate=0.01"):
        named = replace(own, command=f"{own.command} {words}")
        assert read(named, "nets/net.py:small").config.learning_rate == 0.01
    schedule = replace(network, recipe=network.recipe | {"learning_rate": "CosineDecay"})
    assert read(schedule, "nets/net.py:small").config.learning_rate is None


def test_where_a_network_was_is_read_from_the_command(network: RunRecord) -> None:
    module = replace(network, command="mnist-tasks train --network nets.net:small --seed 0")
    assert recorded.reference(module) == "nets.net:small"
    for command in ("", "mnist-tasks train --network", "mnist-tasks 'train"):
        assert recorded.reference(replace(network, command=command)) == "nets/net.py:small"
    given = NetworkSource(path="", function="f", text="", sha256="0" * 64)
    assert recorded.reference(replace(network, network_source=given)) is None
    assert recorded.reference(record()) is None
