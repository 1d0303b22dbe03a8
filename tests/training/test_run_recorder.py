"""Trainings of the user's own script, recorded by a callback, in real processes."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import mnist_tasks
from mnist_tasks import run_store
from mnist_tasks.records import RunRecord
from mnist_tasks.vetting import sandbox
from tests.conftest import small_cli_in
from tests.fork_server import ForkServer
from tests.json_output import result_of

pytestmark = pytest.mark.slow
SCRIPT = """
import resource
import sys

import keras
import numpy as np

import mnist_tasks

keras.utils.set_random_seed(7)
images = np.random.default_rng(0).random((100, 28, 28, 1))
labels = np.arange(100) % 10


def fit(
    recorder, loss="sparse_categorical_crossentropy", metrics=("accuracy",), built=True, **options
):
    model = keras.Sequential(
        [
            *([keras.Input((28, 28, 1))] if built else []),
            keras.layers.Conv2D(2, 5, strides=4, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=list(metrics))
    model.fit(images, labels, verbose=0, callbacks=[recorder], **options)
    return model


recorder = mnist_tasks.RunRecorder()
assert recorder.record is None
model = fit(recorder, epochs=3, batch_size=30, validation_split=0.2)
assert recorder.record.epochs[-1].accuracy is not None

# A loss of one's own and no metrics: what is unknown stays so.
def own(labels, predictions):
    return keras.losses.sparse_categorical_crossentropy(labels, predictions)

fit(mnist_tasks.RunRecorder("other.keras", dataset="fashion-mnist"), loss=own, metrics=())

# It is refused before anything is trained.
open("hers.h5", "w").write("a model of her own")
try:
    fit(mnist_tasks.RunRecorder("hers.h5"))
except mnist_tasks.MnistTasksError as error:
    print(error.reason, error.remedy)
try:
    fit(mnist_tasks.RunRecorder("diverged.keras"), loss=lambda labels, found: found[:, 0] / 0.0)
except mnist_tasks.MnistTasksError as error:
    print(error.found)

# So is a model that Keras can't save.
class Unsavable(keras.layers.Layer):
    def __init__(self, what):
        super().__init__()

    def call(self, inputs):
        return inputs

for suffix in "h5", "keras":
    layers = [keras.Input((28, 28, 1)), Unsavable(object()), keras.layers.Flatten()]
    model = keras.Sequential(layers)
    model.compile(loss="sparse_categorical_crossentropy")
    try:
        model.fit(images, labels, epochs=2, callbacks=[mnist_tasks.RunRecorder(f"u.{suffix}")])
    except mnist_tasks.MnistTasksError as error:
        print(error.expected)

# Or that Keras can't load from what it saves.
mean = keras.layers.Normalization(axis=None)
mean.adapt(images)
model = keras.Sequential([keras.Input((28, 28, 1)), mean, keras.layers.Flatten()])
model.compile(loss="sparse_categorical_crossentropy")
try:
    model.fit(images, labels, epochs=10**9, callbacks=[mnist_tasks.RunRecorder("unloadable.h5")])
except mnist_tasks.MnistTasksError as error:
    print(error.expected)

# A training step of one's own has to report the loss.
class Lossless(keras.Model):
    def train_step(self, data):
        return {"accuracy": super().train_step(data)["accuracy"]}

inputs = keras.Input((28, 28, 1))
outputs = keras.layers.Dense(10, "softmax")(keras.layers.Flatten()(inputs))
model = Lossless(inputs, outputs)
model.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
try:
    lossless = mnist_tasks.RunRecorder("no-loss.h5")
    model.fit(images, labels, epochs=10**9, verbose=0, callbacks=[lossless])
except mnist_tasks.MnistTasksError as error:
    print(error)

# A learning rate schedule of one's own, and a class that only the training needs.
class Warmup(keras.optimizers.schedules.LearningRateSchedule):
    def __call__(self, step):
        return 0.01

    def get_config(self):
        return {}

class Own(keras.Model):
    pass

model = Own(inputs, outputs)
model.compile(keras.optimizers.Adam(Warmup()), "sparse_categorical_crossentropy")
for suffix in "h5", "keras":
    own_class = mnist_tasks.RunRecorder(f"own.{suffix}", runs_dir="own")
    model.fit(images, labels, verbose=0, callbacks=[own_class])
assert type(model) is Own and model.optimizer.get_config()["learning_rate"]

# It can end within an epoch, between two points of its curve.
class Stop(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        self.model.stop_training = batch == 6

many = np.tile(images, (4, 1, 1, 1)), np.tile(labels, 4)
stopped = mnist_tasks.RunRecorder("stopped.h5", runs_dir="stopped")
again = keras.Sequential([keras.Input((28, 28, 1)), *model.layers[1:]])
again.compile(loss="sparse_categorical_crossentropy")
again.fit(*many, batch_size=2, verbose=0, callbacks=[Stop(), stopped])
(epoch,) = stopped.record.epochs
assert round(epoch.seconds * epoch.images_per_second) == 14, epoch

# A limit of the system, as of `ulimit -f`, under which no model can be saved.
limits = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
for built in True, False:
    try:
        fit(mnist_tasks.RunRecorder("large.keras"), built=built, epochs=10**9)
    except mnist_tasks.MnistTasksError as error:
        print(error.subject, error.found)
resource.setrlimit(resource.RLIMIT_FSIZE, limits)

# Another training, with the model that the first one saved.
again = keras.models.load_model("model_latest.h5")
again.fit(images, labels, verbose=0, callbacks=[mnist_tasks.RunRecorder()])
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of the script, which has run, and what it printed."""
    folder = tmp_path_factory.mktemp("script")
    (folder / "mine.py").write_text(SCRIPT, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "mine.py", "--fast"],
        cwd=folder,
        # Keras does what NumPy warns about when its variables are read.
        env={**os.environ, "PYTHONWARNINGS": "error::DeprecationWarning"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


@pytest.fixture(scope="module")
def records(trained: tuple[Path, str]) -> list[RunRecord]:
    stored = run_store.read_all(trained[0] / "runs")
    assert stored.skipped == ()
    return sorted(stored.records, key=lambda record: -len(record.epochs))


def test_a_training_leaves_its_record_and_its_model(
    trained: tuple[Path, str], records: list[RunRecord]
) -> None:
    folder, _ = trained
    record = records[0]
    own = (folder / "runs" / record.id / "model.h5").read_bytes()
    assert hashlib.sha256(own).hexdigest() == record.model.sha256
    assert record.model.path == "model_latest.h5"
    assert record.command == "python mine.py --fast"
    assert record.script is not None
    assert (record.script.path, record.script.text) == ("mine.py", SCRIPT)
    assert record.script.sha256 == hashlib.sha256(SCRIPT.encode()).hexdigest()
    assert {key: value for key, value in record.recipe.items() if key != "layers"} == {
        "name": "mine.py",
        "optimizer": "Adam",
        "learning_rate": 0.01,
        "loss": "sparse_categorical_crossentropy",
        "batch_size": 30,
        "epochs": 3,
    }
    assert [layer["layer"] for layer in record.recipe["layers"]] == ["Conv2D", "Flatten", "Dense"]
    assert record.seed == 7
    assert record.machine.device == "CPU"
    assert set(record.machine.versions) >= {"keras", "tensorflow", "python", "mnist-tasks"}
    assert [epoch.epoch for epoch in record.epochs] == [1, 2, 3]
    assert all((epoch.validation_loss or 0) > 0 for epoch in record.epochs)
    assert all(0 <= (epoch.validation_accuracy or 0) <= 1 for epoch in record.epochs)
    # 80 images, without the 20 of the validation.
    for epoch in record.epochs:
        assert epoch.seconds * (epoch.images_per_second or 0) == pytest.approx(80)
    assert [point.step for point in record.curve] == list(range(1, 10))
    assert record.curve[-1].loss == pytest.approx(record.epochs[-1].loss)
    assert [layer.kind for layer in record.network] == ["Conv2D", "Flatten", "Dense"]
    assert len(record.filters) == 2
    assert set(record.seconds) == {"fit", "save"}


def test_what_is_unknown_is_left_out(records: list[RunRecord]) -> None:
    (record,) = [record for record in records if record.model.path == "other.keras"]
    assert record.recipe["loss"] == "own"
    assert record.dataset.title == "Fashion-MNIST"
    assert records[0].dataset.title == "MNIST"
    assert record.epochs[0].accuracy is None
    assert record.curve[0].accuracy is None


def test_a_model_of_ones_own_is_not_overwritten(trained: tuple[Path, str]) -> None:
    folder, printed = trained
    assert (folder / "hers.h5").read_text() == "a model of her own"
    remedy = "replace this one with RunRecorder(force=True)."
    assert printed.startswith("would-overwrite Name another file with RunRecorder(output=...), or ")
    assert remedy in printed


def test_a_training_that_diverges_is_not_recorded(
    trained: tuple[Path, str], records: list[RunRecord]
) -> None:
    folder, printed = trained
    assert "a loss of" in printed.splitlines()[1]
    assert not (folder / "diverged.keras").exists()
    assert len(records) == len(list((folder / "runs").iterdir())) == 3


def test_a_model_that_keras_cannot_save_is_not_trained(trained: tuple[Path, str]) -> None:
    lines = trained[1].splitlines()[2:4]
    assert lines == [f"one that Keras can save as .{suffix}" for suffix in ("h5", "keras")]
    loadable = "a model that Keras can load from a .h5 file that it saves"
    assert trained[1].splitlines()[4] == loadable


def test_a_file_names_no_class_that_only_the_training_needs(trained: tuple[Path, str]) -> None:
    for suffix in ("h5", "keras"):
        assert sandbox.vet(trained[0] / f"own.{suffix}").parameters == 7850


def test_a_training_without_a_loss_ends_after_its_first_batch(trained: tuple[Path, str]) -> None:
    assert trained[1].splitlines()[5] == "the training step of Lossless: no loss, but accuracy"


def test_room_is_kept_for_what_is_saved(trained: tuple[Path, str]) -> None:
    """Also for a model that is built when the training starts."""
    folder, printed = trained
    for line in printed.splitlines()[6:]:
        assert re.fullmatch(r"runs File too large \(5\d\d,\d\d\d bytes needed\)", line)
    assert len(printed.splitlines()) == 8
    assert not (folder / "large.keras").exists()


def test_the_data_set_of_the_project_is_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pyproject.toml").write_text('[tool.mnist-tasks]\ndataset = "none"\n')
    with pytest.raises(mnist_tasks.MnistTasksError, match="--dataset: none"):
        mnist_tasks.RunRecorder()
    mnist_tasks.RunRecorder(dataset="mnist")


def test_every_command_works_on_such_runs(
    trained: tuple[Path, str], records: list[RunRecord], fork_server: ForkServer
) -> None:
    folder, _ = trained
    cli = small_cli_in(folder, fork_server)
    first = records[0].id
    assert cli("check", f"runs/{first}").returncode == 1
    done = cli("report", first, "--markdown", "report.md", "--csv", "csv")
    assert done.returncode == 0, done.stderr
    assert "mine.py, seed 7" in done.stdout
    page = (folder / "runs" / first / "report.html").read_text(encoding="utf-8")
    assert "The model of mine.py, trained for 3 epochs on 80 images" in page
    assert "def own(labels, predictions):\n    return" in page
    assert "python mine.py --fast" in (folder / "report.md").read_text(encoding="utf-8")
    assert cli("report", *(record.id for record in records), "--no-html").returncode == 0
    rows = result_of(cli("runs", "--recipe", "mine.py", "--json"))["runs"]
    assert len(rows) == 3
