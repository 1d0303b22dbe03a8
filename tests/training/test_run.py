"""A whole training run, in this process, on a small data set."""

from __future__ import annotations

import hashlib
import math
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mnist_tasks.config import TrainingConfig
from mnist_tasks.data import store
from mnist_tasks.errors import EnvironmentProblemError, UsageError
from mnist_tasks.training import loop, run, tensorflow_setup
from tests import limited
from tests.training.recorder import Recorder

if TYPE_CHECKING:
    from mnist_tasks.records import RunRecord

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("tensorflow")]


def train(config: TrainingConfig, folder: Path, recorder: Recorder | None = None) -> RunRecord:
    return run.train(config, lambda: store.load(folder, "train"), progress=recorder or Recorder())


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_a_run_saves_its_model_and_returns_its_record(
    small_mnist: Path, tmp_path: Path, suffix: str
) -> None:
    output = tmp_path / "new folder" / f"model{suffix}"
    recorder = Recorder()
    config = TrainingConfig(
        epochs=4, batch_size=50, limit=400, seed=5, settings=(("max_shift", 0),), output=output
    )
    record = train(config, small_mnist, recorder)

    assert record.model.sha256 == hashlib.sha256(output.read_bytes()).hexdigest()
    assert record.model.bytes == output.stat().st_size
    assert list(output.parent.iterdir()) == [output]
    assert record.recipe["epochs"] == 4
    assert record.recipe["batch_size"] == 50
    assert record.recipe["max_shift"] == 0
    assert "--set max_shift=0" in record.command
    assert record.data == store.load(small_mnist, "train").sha256
    assert (record.seed, record.limit) == (5, 400)
    assert record.machine.device == "CPU"
    assert record.machine.versions["tensorflow"].startswith("2.")
    assert set(record.seconds) == {"data", "import", "build", "fit", "save"}

    assert [epoch.epoch for epoch in record.epochs] == [1, 2, 3, 4]
    assert record.epochs[-1].loss < record.epochs[0].loss
    assert (record.epochs[-1].accuracy or 0) > 0.6
    assert record.curve[-1].step == 4 * 8
    assert recorder.begun == (4, 400)
    assert recorder.steps[-1] == (4, 400, record.epochs[-1].loss, record.epochs[-1].accuracy)
    assert record.command.startswith("mnist-tasks train --recipe default --seed 5 --epochs 4")


def test_a_limit_above_the_number_of_images_is_refused(small_mnist: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        train(TrainingConfig(limit=513, output=tmp_path / "model.h5"), small_mnist)
    assert caught.value.subject == "--limit"
    assert caught.value.expected == "a whole number from 1 to 512, the images of MNIST"


def test_a_second_run_in_a_process_gives_the_same_bytes(small_mnist: Path, tmp_path: Path) -> None:
    def run(seed: int) -> str:
        config = TrainingConfig(limit=100, batch_size=20, seed=seed, output=tmp_path / "model.h5")
        return train(config, small_mnist).model.sha256

    first = run(1)
    assert run(2) != first
    assert run(1) == first


def test_the_saved_model_loads_in_plain_keras(small_mnist: Path, tmp_path: Path) -> None:
    import keras

    output = tmp_path / "model.h5"
    train(TrainingConfig(epochs=6, limit=500, batch_size=32, output=output), small_mnist)
    model = keras.models.load_model(output)
    digits = store.load(small_mnist, "test")
    _, accuracy = model.evaluate(digits.images[..., None] / 255.0, digits.labels, verbose=0)
    assert accuracy > 0.8


def test_mixed_precision_learns_and_saves_float32(small_mnist: Path, tmp_path: Path) -> None:
    import keras

    output = tmp_path / "model.h5"
    config = TrainingConfig(epochs=6, batch_size=32, precision="mixed_bfloat16", output=output)
    record = train(config, small_mnist)
    assert record.machine.precision == "mixed_bfloat16"
    assert "--precision mixed_bfloat16" in record.command
    assert (record.epochs[-1].accuracy or 0) > 0.8
    model = keras.models.load_model(output)
    assert {layer.dtype_policy.name for layer in model.layers} == {"float32"}


@pytest.mark.parametrize(("batch_size", "micro_batches"), [(1, 2), (3, 64)])
def test_a_batch_may_have_fewer_images_than_micro_batches(
    small_mnist: Path, tmp_path: Path, batch_size: int, micro_batches: int
) -> None:
    config = TrainingConfig(
        limit=9,
        batch_size=batch_size,
        settings=(("micro_batches", micro_batches),),
        output=tmp_path / "model.h5",
    )
    assert math.isfinite(train(config, small_mnist).epochs[-1].loss)


@pytest.mark.parametrize("limit", [1, 3, 5])
def test_the_smallest_runs_give_a_finite_model(
    small_mnist: Path, tmp_path: Path, limit: int
) -> None:
    import keras
    import numpy as np

    output = tmp_path / "model.h5"
    train(TrainingConfig(limit=limit, batch_size=2, output=output), small_mnist)
    model = keras.models.load_model(output)
    assert all(np.isfinite(each).all() for each in model.get_weights())


def test_a_training_that_diverges_stops_and_keeps_the_old_model(
    small_mnist: Path, tmp_path: Path
) -> None:
    output = tmp_path / "model.h5"
    output.write_bytes(b"the previous model")
    with pytest.raises(UsageError, match="the loss is nan") as caught:
        train(TrainingConfig(learning_rate=1e30, epochs=3, output=output), small_mnist)
    assert caught.value.subject == "the learning rate"
    assert output.read_bytes() == b"the previous model"


def test_the_curve_of_a_long_training_is_thinned(small_mnist: Path, tmp_path: Path) -> None:
    config = TrainingConfig(epochs=30, limit=80, batch_size=4, output=tmp_path / "model.h5")
    record = train(config, small_mnist)
    assert 250 < len(record.curve) <= loop.LONGEST_CURVE
    assert record.curve[-1].step == 30 * 20
    assert record.curve[-1].loss == record.epochs[-1].loss


def test_an_unknown_recipe_is_refused_before_the_data_is_loaded() -> None:
    def load() -> store.LabeledImages:
        raise AssertionError("the data was loaded")

    with pytest.raises(UsageError):
        run.train(TrainingConfig(recipe="pancakes"), load)


def test_a_missing_gpu_is_an_error_and_not_a_silent_fallback(
    small_mnist: Path, tmp_path: Path
) -> None:
    import tensorflow as tf

    if tf.config.list_physical_devices("GPU"):
        pytest.skip("there is a GPU here")
    output = tmp_path / "model.h5"
    with pytest.raises(EnvironmentProblemError, match="--device gpu: none") as caught:
        train(TrainingConfig(device="gpu", output=output), small_mnist)
    assert "[gpu]" in str(caught.value.remedy)
    assert not output.exists()


def test_an_output_that_cant_be_written_is_named(small_mnist: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    output = tmp_path / "file" / "model.h5"
    with pytest.raises(EnvironmentProblemError) as caught:
        train(TrainingConfig(limit=20, output=output), small_mnist)
    assert "--runs" in str(caught.value.remedy)  # it is the run's own copy


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_room_for_the_model_is_made_sure_of_before_the_training(
    small_mnist: Path, tmp_path: Path, suffix: str
) -> None:
    recorder = Recorder()
    output = tmp_path / f"model{suffix}"
    config = TrainingConfig(epochs=1, limit=100, output=output)
    with (
        limited.file_size(300_000),
        pytest.raises(EnvironmentProblemError, match=r"File too large \(\d+,\d+ bytes needed\)"),
    ):
        train(config, small_mnist, recorder)
    assert not recorder.steps
    assert not output.exists()


def test_temporary_files_of_tensorflow_lie_in_a_folder_that_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    before = tempfile.gettempdir()
    with tensorflow_setup.temporary_files():
        assert Path(tempfile.gettempdir()).parent == tmp_path
        tempfile.mkstemp()
    assert tempfile.gettempdir() == before
    assert not list(tmp_path.iterdir())
