"""Several devices compute what one does: on two halves of a CPU, in a real process."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests import conftest
from tests.fork_server import ForkServer
from tests.json_output import result_of

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("tensorflow")]
NETWORK = """
import keras
from keras import layers

def build():
    return keras.Sequential([layers.Flatten(), layers.Dense(10, kernel_regularizer="l2")])
"""
SPLIT_CLI = Path(conftest.__file__).parent / "split_cli.py"
# Of the last batch, 11 images, one replica takes 5 and the other 6. More and longer steps would
# let rounding errors grow.
OPTIONS = (
    *("--batch-size", "50", "--limit", "161", "--validation", "100"),
    *("--learning-rate", "0.01", "--json"),
)


@pytest.fixture
def split_cli(tmp_path: Path, fork_server: ForkServer) -> conftest.CommandLine:
    """Run the command line in a process whose CPU is split in two."""
    arguments = [str(SPLIT_CLI), str(tmp_path / "data")]
    return conftest.CommandLine(arguments, tmp_path, fork_server)


def load(path: Path) -> Any:
    import keras

    return keras.models.load_model(path)


def train(run: Callable[..., conftest.Run], device: str, name: str) -> dict[str, Any]:
    done = run("train", "--device", device, "--threads", "2", "--output", name, *OPTIONS)
    assert done.returncode == 0, done.stderr
    record: dict[str, Any] = result_of(done)
    return record


def test_two_replicas_compute_what_two_micro_batches_do(
    tmp_path: Path,
    small_cli: Callable[..., conftest.Run],
    split_cli: Callable[..., conftest.Run],
) -> None:
    records = [train(small_cli, "cpu", "one.h5"), train(split_cli, "all", "two.h5")]

    # Dropout and the average of the weights included: only the order of additions differs.
    weights = [load(tmp_path / name).get_weights() for name in ("one.h5", "two.h5")]
    for one, two in zip(*weights, strict=True):
        np.testing.assert_allclose(one, two, atol=1e-4)

    assert [record["machine"]["replicas"] for record in records] == [1, 2]
    assert records[1]["machine"]["device"] == "2 parts of the CPU"
    losses = [record["curve"][-1]["loss"] for record in records]
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)
    one, two = (record["epochs"][-1] for record in records)
    assert one["accuracy"] == two["accuracy"]
    assert one["validation_loss"] == pytest.approx(two["validation_loss"], rel=1e-3)
    assert one["validation_accuracy"] == pytest.approx(two["validation_accuracy"], abs=0.011)


def test_keras_own_fit_trains_a_network_on_two_replicas(
    tmp_path: Path, split_cli: Callable[..., conftest.Run]
) -> None:
    (tmp_path / "net.py").write_text(NETWORK)
    options = ("--device", "all", "--limit", "64", "--validation", "50", "--json")
    done = split_cli("train", "--network", "net.py", *options)
    assert done.returncode == 0, done.stderr
    record = result_of(done)
    assert (record["trainer"], record["machine"]["replicas"]) == ("fit", 2)
    assert round(50 * record["epochs"][-1]["validation_accuracy"], 6) in range(51)
    assert load(tmp_path / "model_latest.h5").output_shape == (None, 10)


@pytest.mark.parametrize("option", ["--batch-size", "--limit"])
def test_too_few_images_for_the_replicas_are_refused(
    tmp_path: Path, split_cli: Callable[..., conftest.Run], option: str
) -> None:
    done = split_cli("train", "--device", "all", option, "3")
    assert done.returncode == 2
    assert option in done.stderr
    assert "2 replicas" in done.stderr
    assert not (tmp_path / "model_latest.h5").exists()
