"""Validation images: held out, evaluated after each epoch, and without effect on the training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mnist_tasks.config import TrainingConfig
from mnist_tasks.data import store
from mnist_tasks.errors import InputRefusedError, UsageError
from mnist_tasks.training import run
from tests.training.recorder import Recorder

if TYPE_CHECKING:
    from mnist_tasks.records import RunRecord

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("tensorflow")]
HELD_OUT = 112  # of 512 images
HEAD = """\
import keras
from keras import layers

def build():
    model = keras.Sequential([layers.Flatten(), layers.Dense(10, activation="softmax")])
"""
AVERAGING = "keras.optimizers.Adam(0.01, use_ema=True, ema_momentum=0.9)"
FAST = f"    model.compile({AVERAGING}, 'categorical_crossentropy')\n    return model\n"
SEEN = """
class Seen(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs):
        with open("seen.txt", "a") as file:
            print(logs["val_loss"], logs["val_accuracy"], file=file)

def callbacks():
    return [Seen()]
"""
OWN_STEP = """\
    class Own(keras.Model):
        def test_step(self, data):
            return {"loss": 0.0}
    own = Own(model.inputs[0], model.outputs[0])
    own.compile("adam", "sparse_categorical_crossentropy")
    return own
"""


def train(folder: Path, *, recorder: Recorder | None = None, **options: Any) -> RunRecord:
    config = TrainingConfig(**{"epochs": 3, "batch_size": 50, **options})
    return run.train(config, lambda: store.load(folder, "train"), progress=recorder or Recorder())


def of_file(record: RunRecord, folder: Path) -> tuple[float, float]:
    """Return loss and accuracy of the saved model on the validation images."""
    import keras

    images, labels = store.load(folder, "train").last(HELD_OUT)
    model = keras.models.load_model(record.model.path)
    found = model.predict(images[..., None] / np.float32(255), verbose=0)
    right = found[np.arange(len(labels)), labels]
    return float(-np.log(right).mean()), float((found.argmax(axis=1) == labels).mean())


def test_a_recipe_is_evaluated_as_it_would_be_saved(small_mnist: Path, tmp_path: Path) -> None:
    recorder = Recorder()
    record = train(
        small_mnist, recorder=recorder, validation=HELD_OUT, output=tmp_path / "model.h5"
    )
    last = record.epochs[-1]
    loss, accuracy = of_file(record, small_mnist)
    assert last.validation_loss == pytest.approx(loss, rel=1e-4)
    assert last.validation_accuracy == accuracy
    assert recorder.begun == (3, 400)
    assert recorder.notes == [
        f"epoch {each.epoch}/3  validation loss {each.validation_loss:.4f}  "
        f"accuracy {each.validation_accuracy:.2%}"
        for each in record.epochs
    ]
    assert record.validation == HELD_OUT
    assert f"--validation {HELD_OUT}" in record.command
    without = train(small_mnist, limit=400, output=tmp_path / "without.h5")
    assert record.model.sha256 == without.model.sha256
    assert "--validation" not in without.command
    assert without.validation == 0
    assert without.epochs[-1].validation_accuracy is None


@pytest.mark.parametrize(("after", "trainer"), [("", "fast"), (SEEN, "fit")])
def test_a_network_is_evaluated_as_it_would_be_saved(
    small_mnist: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    after: str,
    trainer: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.py").write_text(HEAD + FAST + after, encoding="utf-8")
    options: dict[str, Any] = {"network": "net.py", "seed": 1}
    recorder = Recorder()
    record = train(small_mnist, recorder=recorder, validation=HELD_OUT, **options)
    assert record.trainer == trainer
    loss, accuracy = of_file(record, small_mnist)
    assert record.epochs[-1].validation_loss == pytest.approx(loss, rel=1e-4)
    assert record.epochs[-1].validation_accuracy == accuracy
    assert record.epochs[-1].accuracy == record.curve[-1].accuracy
    assert sum("validation loss" in note for note in recorder.notes) == 3
    if trainer == "fit":
        seen = [
            tuple(map(float, line.split())) for line in Path("seen.txt").read_text().splitlines()
        ]
        assert np.array(seen) == pytest.approx(
            np.array([(each.validation_loss, each.validation_accuracy) for each in record.epochs])
        )
        Path("net.py").write_text(HEAD + FAST + after.replace("val_", ""), encoding="utf-8")
    without = train(small_mnist, limit=400, **options)
    assert record.model.sha256 == without.model.sha256


def test_a_test_step_without_an_accuracy_is_refused(
    small_mnist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.py").write_text(
        HEAD.replace("[layers", "[keras.Input((28, 28, 1)), layers") + OWN_STEP
    )
    with pytest.raises(InputRefusedError, match="the test step of Own") as caught:
        train(small_mnist, network="net.py", epochs=1, validation=HELD_OUT)
    assert caught.value.found == "no accuracy"


@pytest.mark.parametrize(
    ("options", "subject", "expected"),
    [
        ({"validation": 512}, "--validation", "a whole number from 0 to 511: MNIST has 512"),
        (
            {"validation": HELD_OUT, "limit": 401},
            "--limit",
            "from 1 to 400, the images of MNIST without the last 112, which are for validation",
        ),
    ],
)
def test_images_that_are_not_there_are_refused(
    small_mnist: Path, tmp_path: Path, options: dict[str, Any], subject: str, expected: str
) -> None:
    with pytest.raises(UsageError) as caught:
        train(small_mnist, output=tmp_path / "model.h5", **options)
    assert caught.value.subject == subject
    assert expected in str(caught.value.expected)
