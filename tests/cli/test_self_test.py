"""``check --self-test`` in real processes, with a model that was solved for and not trained."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

from tests import generated
from tests.conftest import Run
from tests.json_output import result_of
from tests.vetting.crafted import handmade

Cli = Callable[..., Run]
LOSSES = ("weights noised, 0.5 points", "weights noised, 1 point", "weights noised, 2 points")


@cache
def weights() -> handmade.Weights:
    """Return the weights of least squares on 14 x 14 pixels, which classify all digits."""
    images, labels = generated.digits(2_000, seed=1)
    pixels = images.reshape(-1, 14, 2, 14, 2).mean((2, 4)).reshape(-1, 196) / 255
    inputs = np.column_stack([pixels, np.ones(len(pixels))])
    square = inputs.T @ inputs + 1e-3 * np.eye(197)
    solved = 20 * np.linalg.solve(square, inputs.T @ np.eye(10)[labels]).astype("float32")
    return {"dense": {"kernel": solved[:-1], "bias": solved[-1]}}


def model() -> handmade.Config:
    pool = handmade.layer(
        "AveragePooling2D", "pool", pool_size=[2, 2], strides=[2, 2], padding="valid"
    )
    flatten = handmade.layer("Flatten", "flatten")
    return handmade.sequential(handmade.input_layer(), pool, flatten, handmade.dense())


def test_worse_models_fail_the_contract_in_both_formats(small_cli: Cli, tmp_path: Path) -> None:
    by_path = {f"layers/dense/vars/{n}": each for n, each in enumerate(weights()["dense"].values())}
    (tmp_path / "a.h5").write_bytes(handmade.write_h5(model(), weights()))
    (tmp_path / "b.keras").write_bytes(
        handmade.write_keras(model(), handmade.write_weights(by_path))
    )
    done = small_cli("check", "a.h5", "b.keras", "--self-test", "--json", "--junit", "a.xml")
    assert done.returncode == 0, done.stderr
    first, second = result_of(done)["checks"]
    assert first["status"] == second["status"] == "passed"
    tested = first["self_test"]
    assert tested == second["self_test"]
    assert (tested["passed"], tested["accuracy"], tested["images"]) == (True, 1.0, 128)
    models = {each["fault"]: each for each in tested["models"]}
    assert [models[loss]["accuracy"] for loss in LOSSES] == [1 - lost / 128 for lost in (1, 1, 3)]
    gross = models.keys() - set(LOSSES)
    assert len(gross) == 5
    assert all(models[each]["clauses"] == ["test accuracy"] for each in gross)
    assert models["labels shuffled"]["accuracy"] < 0.3
    assert "self-test: pixels inverted" in (tmp_path / "a.xml").read_text(encoding="utf-8")


def test_a_lax_contract_is_exit_1_and_a_model_that_fails_it_is_not_made_worse(
    small_cli: Cli, tmp_path: Path
) -> None:
    (tmp_path / "good.h5").write_bytes(handmade.write_h5(model(), weights()))
    (tmp_path / "bad.h5").write_bytes(handmade.write_h5(handmade.small(), handmade.small_weights()))
    (tmp_path / "lax.toml").write_text("accuracy_above = 0.8\n")
    arguments = ("good.h5", "bad.h5", "--self-test", "--contract", "lax.toml")
    done = small_cli("check", *arguments, env={"COLUMNS": "200"})
    assert done.returncode == 1, done.stderr
    assert "The contract misses models that it must fail: class " in done.stdout
    assert "would fail it" in done.stdout
    assert "no self-test with bad.h5: it does not pass the contract itself" in done.stderr
    assert done.stdout.count("planted fault") == 1
