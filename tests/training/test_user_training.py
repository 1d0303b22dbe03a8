"""A network of one's own is trained, whatever it is made of, and refused with what to change."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mnist_tasks.config import TrainingConfig
from mnist_tasks.data import store
from mnist_tasks.errors import InputRefusedError, MnistTasksError, UsageError
from mnist_tasks.training import network_file, run
from mnist_tasks.vetting import sandbox
from tests.training.recorder import Recorder

if TYPE_CHECKING:
    from mnist_tasks.records import RunRecord

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("tensorflow")]
HEAD = """\
import keras
from keras import callbacks as keras_callbacks
from keras import layers

def sequential(*more, activation=None):
    return keras.Sequential([layers.Flatten(), *more, layers.Dense(10, activation=activation)])

def build():
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def train(body: str, folder: Path, *, after: str = "", **options: Any) -> RunRecord:
    """Train the network of a function with this body."""
    indented = "".join(f"    {line}\n" for line in body.splitlines())
    Path("net.py").write_text(HEAD + indented + after, encoding="utf-8")
    return train_file(folder, **options)


def train_file(folder: Path, *, recorder: Recorder | None = None, **options: Any) -> RunRecord:
    config = TrainingConfig(**{"network": "net.py", "limit": 60, "batch_size": 20, **options})
    return run.train(config, lambda: store.load(folder, "train"), progress=recorder or Recorder())


def predicted(path: Path | str, folder: Path) -> Any:
    import keras

    images = store.load(folder, "test").images[..., None] / np.float32(255)
    return keras.models.load_model(path).predict(images, verbose=0)


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_a_compiled_model_is_trained_with_its_own_optimizer(small_mnist: Path, suffix: str) -> None:
    recorder = Recorder()
    body = (
        "model = sequential(layers.Dense(32, 'relu'), activation='softmax')\n"
        "model.compile('adam', 'sparse_categorical_crossentropy', metrics=['accuracy'])\n"
        "return model"
    )
    record = train(
        body,
        small_mnist,
        epochs=8,
        limit=400,
        output=Path(f"model{suffix}"),
        recorder=recorder,
    )
    assert record.recipe == {
        "name": "net.py",
        "epochs": 8,
        "batch_size": 20,
        "learning_rate": 0.001,
        "max_shift": 0,
        "max_rotation": 0.0,
        "max_scaling": 0.0,
        "max_shear": 0.0,
        "micro_batches": 2,
        "optimizer": "Adam",
        "loss": "sparse_categorical_crossentropy",
    }
    assert record.trainer == "fast"
    source = record.network_source
    assert source is not None
    assert source.text == Path("net.py").read_text(encoding="utf-8")
    assert source.sha256 == hashlib.sha256(Path("net.py").read_bytes()).hexdigest()
    assert (source.path, source.function) == ("net.py", "build")
    assert "--network net.py" in record.command
    assert recorder.notes == ["Running your code: net.py, function build."]
    assert recorder.begun == (8, 400)
    assert (record.epochs[-1].accuracy or 0) > 0.9
    assert record.curve[-1].accuracy == record.epochs[-1].accuracy
    assert [layer.kind for layer in record.network] == ["Flatten", "Dense", "Dense"]
    test = store.load(small_mnist, "test")
    found = predicted(record.model.path, small_mnist)
    assert (found.argmax(axis=1) == test.labels).mean() > 0.8


def test_a_model_that_is_not_compiled_gets_the_recipes_optimizer(small_mnist: Path) -> None:
    record = train(
        "return sequential()",
        small_mnist,
        recipe="plain",
        epochs=3,
        settings=(("micro_batches", 2),),
    )
    assert record.recipe["optimizer"] == "adagrad"
    assert record.recipe["learning_rate"] == 0.01
    assert record.recipe["loss"] == "sparse_categorical_crossentropy"
    assert record.epochs[-1].loss < record.epochs[0].loss


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16", "float16"])
def test_probabilities_are_not_taken_for_logits_in_any_precision(
    small_mnist: Path, dtype: str
) -> None:
    layer = f"layers.Dense(10, 'softmax', dtype='{dtype}')"
    train(f"return keras.Sequential([layers.Flatten(), {layer}])", small_mnist)
    import keras

    assert not keras.models.load_model("model_latest.h5").loss.from_logits


@pytest.mark.parametrize("after", ["", "def callbacks():\n    return [keras.callbacks.History()]"])
def test_a_loss_can_be_given_by_the_name_of_the_output(small_mnist: Path, after: str) -> None:
    body = (
        "inputs = keras.Input((28, 28, 1))\n"
        "outputs = layers.Dense(10, 'softmax', name='digit')(layers.Flatten()(inputs))\n"
        "model = keras.Model(inputs, outputs)\n"
        "loss = {'digit': 'sparse_categorical_crossentropy'}\n"
        "model.compile('adam', loss, metrics={'digit': ['accuracy']})\n"
        "return model"
    )
    record = train(body, small_mnist, after=after)
    assert record.recipe["loss"] == "sparse_categorical_crossentropy"
    assert record.trainer == ("fit" if after else "fast")


def test_both_trainers_learn_the_same(small_mnist: Path) -> None:
    """Without shuffling, micro-batches and dropout, they take the same steps."""
    body = (
        "model = sequential(activation='softmax')\n"
        "model.compile(keras.optimizers.Adam(0.01), 'categorical_crossentropy')\nreturn model"
    )
    callback = "\ndef callbacks():\n    return [keras_callbacks.TerminateOnNaN()]\n"
    fast = train(body, small_mnist, epochs=2, output=Path("fast.keras"))
    fit = train(body, small_mnist, epochs=2, output=Path("fit.keras"), after=callback)
    assert (fast.trainer, fit.trainer) == ("fast", "fit")
    for ours, keras_own in zip(fast.epochs, fit.epochs, strict=True):
        assert ours.loss == pytest.approx(keras_own.loss, rel=1e-4)
        assert ours.accuracy == keras_own.accuracy
    assert [each.step for each in fast.curve] == [each.step for each in fit.curve]
    np.testing.assert_allclose(
        predicted("fast.keras", small_mnist), predicted("fit.keras", small_mnist), atol=1e-4
    )


def test_callbacks_stop_the_training_and_change_the_model(small_mnist: Path) -> None:
    after = """
def callbacks():
    return [keras_callbacks.EarlyStopping("loss", patience=0, min_delta=100), Last()]

class Last(keras.callbacks.Callback):
    def on_train_end(self, logs=None):
        self.model.layers[-1].bias.assign([5.0, *[0.0] * 9])
"""
    recorder = Recorder()
    record = train("return sequential()", small_mnist, epochs=9, after=after, recorder=recorder)
    assert record.trainer == "fit"
    assert recorder.notes[1] == "Keras's fit trains the model, since it has callbacks."
    assert len(record.epochs) == 2
    assert recorder.steps[-1][:2] == (2, 60)
    assert record.curve[-1].step == 6
    assert predicted(record.model.path, small_mnist).argmax(axis=1).tolist().count(0) > 64


def test_steps_are_counted_as_keras_takes_them(small_mnist: Path) -> None:
    body = (
        "model = sequential(activation='softmax')\n"
        "model.compile('sgd', 'sparse_categorical_crossentropy', steps_per_execution=4)\n"
        "return model"
    )
    after = "\ndef callbacks():\n    return [keras_callbacks.History()]\n"
    record = train(body, small_mnist, epochs=2, limit=100, batch_size=10, after=after)
    assert [point.step for point in record.curve] == [4, 8, 10, 14, 18, 20]


def test_an_epoch_that_a_callback_ends_has_the_images_that_were_seen(small_mnist: Path) -> None:
    after = """
class Stop(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        self.model.stop_training = batch == 3
def callbacks():
    return [Stop()]
"""
    (epoch,) = train(
        "return sequential()", small_mnist, limit=100, batch_size=10, after=after
    ).epochs
    assert epoch.seconds * (epoch.images_per_second or 0) == pytest.approx(40)
    assert (epoch.accuracy or 0) * 40 == pytest.approx(round((epoch.accuracy or 0) * 40))


@pytest.mark.parametrize(
    "callback", ["", "\ndef callbacks():\n    return [keras.callbacks.History()]"]
)
def test_augment_gets_batches_and_the_same_random_numbers_for_the_same_seed(
    small_mnist: Path, callback: str
) -> None:
    after = f"""
def augment(images, random):
    assert images.shape[1:] == (28, 28), images.shape
    assert str(images.dtype) == "uint8"
    return images[::-1] if random.random() < 0.5 else 255 - images
{callback}
"""
    body = "return sequential()"
    first = train(body, small_mnist, seed=3, after=after)
    assert train(body, small_mnist, seed=3, after=after).model.sha256 == first.model.sha256
    assert train(body, small_mnist, seed=4, after=after).epochs != first.epochs
    assert train(body, small_mnist, seed=3).model.sha256 != first.model.sha256


@pytest.mark.parametrize(
    "after", ["", "\ndef callbacks():\n    return [keras.callbacks.History()]"]
)
def test_the_same_seed_gives_the_same_bytes(small_mnist: Path, after: str) -> None:
    body = "return sequential(layers.Dropout(0.5), layers.BatchNormalization())"
    digests = [train(body, small_mnist, seed=seed, after=after).model.sha256 for seed in (1, 2, 1)]
    assert digests[0] == digests[2] != digests[1]


def test_a_function_asks_for_the_shape_and_the_classes(small_mnist: Path) -> None:
    Path("net.py").write_text(
        "import keras\n"
        "def small(input_shape, *, classes, width=3):\n"
        "    assert (input_shape, classes, width) == ((28, 28, 1), 10, 3)\n"
        "    inputs = keras.Input(input_shape)\n"
        "    outputs = keras.layers.Dense(classes)(keras.layers.Flatten()(inputs))\n"
        "    return keras.Model(inputs, outputs)\n"
    )
    record = train_file(small_mnist, network="net.py:small")
    assert record.recipe["name"] == "net.py:small"


def test_a_model_with_its_own_training_step_is_saved_without_its_class(small_mnist: Path) -> None:
    after = """
class Own(keras.Model):
    def train_step(self, data):
        return super().train_step(data)
"""
    body = (
        "inputs = keras.Input((28, 28, 1))\n"
        "return Own(inputs, layers.Dense(10)(layers.Flatten()(inputs)))"
    )
    record = train(body, small_mnist, after=after, epochs=4, learning_rate=0.05)
    assert record.trainer == "fit"
    import keras

    assert type(keras.models.load_model(record.model.path)).__name__ == "Functional"


def test_only_so_many_filters_are_recorded_as_a_page_can_show(small_mnist: Path) -> None:
    first = "layers.Conv2D(70, 3, strides=9)"
    body = f"return keras.Sequential([{first}, layers.Flatten(), layers.Dense(10)])"
    assert len(train(body, small_mnist).filters) == 64


def test_an_accuracy_in_percent_is_refused(small_mnist: Path) -> None:
    after = """
class Own(keras.Model):
    def train_step(self, data):
        return super().train_step(data) | {"accuracy": 97.0}
"""
    body = (
        "inputs = keras.Input((28, 28, 1))\n"
        "return Own(inputs, layers.Dense(10)(layers.Flatten()(inputs)))"
    )
    with pytest.raises(InputRefusedError, match="the accuracy of Own: 97"):
        train(body, small_mnist, after=after)


def test_what_check_will_refuse_is_said_before_the_training(small_mnist: Path) -> None:
    recorder = Recorder()
    train("return sequential(layers.Lambda(lambda x: x + 1))", small_mnist, recorder=recorder)
    assert recorder.notes[1].startswith("`mnist-tasks check` will refuse the model: ")
    assert "Lambda" in recorder.notes[1]


OWN_SETUP = """
class Warmup(keras.optimizers.schedules.LearningRateSchedule):
    def __call__(self, step):
        return 0.01
    def get_config(self):
        return {}
class Loss(keras.losses.Loss):
    def call(self, labels, outputs):
        return keras.losses.sparse_categorical_crossentropy(labels, outputs, True)
class Optimizer(keras.optimizers.SGD):
    pass
LOGITS = keras.losses.SparseCategoricalCrossentropy(True)
"""


@pytest.mark.parametrize(
    ("optimizer", "loss", "output", "trainer"),
    [
        ("keras.optimizers.Adam(Warmup())", "LOGITS", "model.h5", "fast"),
        ("keras.optimizers.Adam(Warmup())", "LOGITS", "model.keras", "fast"),
        ("'adam'", "Loss()", "model.keras", "fit"),
        ("Optimizer()", "LOGITS", "model.keras", "fast"),
    ],
)
def test_a_file_names_no_class_that_only_the_training_needs(
    small_mnist: Path, optimizer: str, loss: str, output: str, trainer: str
) -> None:
    """Nobody else could open it, and `check` would refuse it."""
    body = f"model = sequential()\nmodel.compile({optimizer}, {loss})\nreturn model"
    recorder = Recorder()
    options: dict[str, Any] = {"output": Path(output), "recorder": recorder}
    record = train(body, small_mnist, after=OWN_SETUP, **options)
    assert record.trainer == trainer
    expected = "Optimizer" if optimizer == "Optimizer()" else "Adam"
    assert record.recipe["optimizer"] == expected
    assert recorder.notes[-1].startswith("The model is saved without what it was compiled with: ")
    assert sandbox.vet(Path(output)).parameters == 7850
    assert predicted(output, small_mnist).shape[1] == 10


def test_a_model_that_cant_be_saved_is_refused_before_the_training(small_mnist: Path) -> None:
    after = """
class Scale(layers.Layer):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor
    def call(self, inputs):
        return inputs * self.factor
    def get_config(self):
        return {"factor": self.missing}
"""
    recorder = Recorder()
    with pytest.raises(InputRefusedError) as caught:
        train("return sequential(Scale(2.0))", small_mnist, after=after, recorder=recorder)
    assert caught.value.subject == "net.py:18"
    assert "no attribute 'missing'" in caught.value.found
    assert recorder.begun is None


def test_a_model_that_cant_be_loaded_again_is_refused_before_the_training(
    small_mnist: Path,
) -> None:
    body = "mean = layers.Normalization(axis=None)\nmean.adapt(keras.ops.eye(2))\n"
    body += "return sequential(mean)"
    recorder = Recorder()
    with pytest.raises(InputRefusedError, match="Shape mismatch") as caught:
        train(body, small_mnist, recorder=recorder)
    assert "ends in .keras" in str(caught.value.remedy)
    assert recorder.begun is None
    record = train(body, small_mnist, output=Path("model.keras"))
    assert predicted(record.model.path, small_mnist).shape[1] == 10


def test_a_learning_rate_of_the_command_line_replaces_the_optimizers(small_mnist: Path) -> None:
    loss = "keras.losses.SparseCategoricalCrossentropy(True)"
    compiled = f"model = sequential()\nmodel.compile({{}}, {loss})\nreturn model"
    record = train(compiled.format("'sgd'"), small_mnist, settings=(("learning_rate", 0.5),))
    assert record.recipe["learning_rate"] == 0.5
    scaled = "keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1))"
    assert train(compiled.format(scaled), small_mnist).recipe["learning_rate"] == 0.1
    record = train(compiled.format(scaled), small_mnist, learning_rate=0.5)
    assert record.recipe["learning_rate"] == 0.5
    schedule = "keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.1, 10))"
    assert train(compiled.format(schedule), small_mnist).recipe["learning_rate"] == "CosineDecay"
    with pytest.raises(UsageError, match="--learning-rate"):
        train(compiled.format(schedule), small_mnist, learning_rate=0.5)
    with pytest.raises(UsageError, match="--set warmup_fraction"):
        train(compiled.format("'sgd'"), small_mnist, settings=(("warmup_fraction", 0.1),))


REFUSED = {
    "return keras.Sequential([keras.Input((784,)), layers.Dense(10)])": (
        "net.py:8",
        "input shape (None, 28, 28, 1), for the data set MNIST",
        "(None, 784)",
    ),
    "inputs = keras.Input((28, 28, 1), batch_size=32)\n"
    "return keras.Model(inputs, layers.Dense(10)(layers.Flatten()(inputs)))": (
        "net.py:8",
        "input shape (None, 28, 28, 1), for the data set MNIST",
        "(32, 28, 28, 1)",
    ),
    "return keras.Sequential([keras.Input((28, 28, 1), dtype='uint8'), layers.Rescaling(1 / 255), "
    "layers.Flatten(), layers.Dense(10)])": (
        "net.py:8",
        "an input of floating-point numbers: the pixels are in [0, 1]",
        "an input of uint8",
    ),
    "return keras.Sequential([layers.Flatten(name='_a'), layers.Dense(10)], name='_b')": (
        "net.py:8",
        "names that consist of letters from A to Z, digits, _, - and .",
        "a Sequential with the name _b",
    ),
    "return keras.Sequential([layers.Flatten(name='a b'), layers.Dense(10)])": (
        "net.py:8",
        "names that consist of letters from A to Z, digits, _, - and .",
        "a Flatten with the name a b",
    ),
    "inputs = keras.Input((28, 28, 1))\n"
    "return keras.Model(inputs, {'digit': layers.Dense(10)(layers.Flatten()(inputs))})": (
        "net.py:8",
        "a model with one output",
        "a dictionary of outputs",
    ),
    "return keras.Sequential([layers.Flatten(), layers.Dense(7)])": (
        "net.py:8",
        "output shape (None, 10), for the data set MNIST",
        "(None, 7)",
    ),
    "return keras.Sequential([layers.Dense(10)])": (
        "net.py:8",
        "output shape (None, 10), for the data set MNIST",
        "(None, 28, 28, 10)",
    ),
    "sequential()": ("net.py:8", "a Keras model", "None"),
    "return 'a model'": ("net.py:8", "a Keras model", "builtins.str"),
    "return keras.Model()": (
        "net.py:8",
        "a Sequential or functional model",
        "a subclass of keras.Model",
    ),
    "x = 1\nreturn undefined": ("net.py:10", None, "NameError: name 'undefined' is not defined"),
    "return keras.Sequential([layers.Conv2D(4, 30), layers.Flatten()])": (
        "net.py",
        None,
        "ValueError: Computed output size would be zero or negative",
    ),
    "model = sequential()\nmodel.compile('adam')\nreturn model": (
        "net.py:8",
        "a model that is compiled with a loss, or not compiled",
        "compile() without a loss",
    ),
    "model = sequential()\nmodel.compile('adam', 'categorical_crossentropy')\nreturn model": (
        "net.py:8",
        "probabilities, which the loss takes",
        "outputs below 0",
    ),
    "model = sequential()\nmodel.compile('adam', lambda y, p: oops)\nreturn model": (
        "net.py:10",
        None,
        "NameError: name 'oops' is not defined",
    ),
}


@pytest.mark.parametrize("body", REFUSED)
def test_a_network_that_cant_be_trained_is_refused_with_its_line(
    small_mnist: Path, body: str
) -> None:
    where, expected, found = REFUSED[body]
    with pytest.raises(InputRefusedError) as caught:
        train(body, small_mnist)
    assert caught.value.subject == where
    assert caught.value.expected == expected
    assert found in caught.value.found
    assert not Path("model_latest.h5").exists()


FAILING = {
    "def augment(images, random):\n    return images / 255": ("net.py:10", "(60, 28, 28) float64"),
    "def augment(images, random):\n    return images[:, 1:]": ("net.py:10", "(60, 27, 28) uint8"),
    "def augment(images, random):\n    return None": ("net.py:10", "NoneType"),
    "def augment(images):\n    return images": (
        "net.py",
        "TypeError: augment() takes 1 positional",
    ),
    "def augment(images, random):\n\n    1 / 0": ("net.py:12", "ZeroDivisionError"),
    "def callbacks():\n    return 3": ("net.py:10", "int"),
    "def callbacks():\n    return [3]": ("net.py:10", "list"),
    "def callbacks():\n    1 / 0": ("net.py:11", "ZeroDivisionError"),
    "class C(keras.callbacks.Callback):\n    def on_epoch_end(self, epoch, logs=None):\n"
    "        logs['absent']\ndef callbacks():\n    return [C()]": (
        "net.py:12",
        "KeyError: 'absent'",
    ),
    "class C(keras.callbacks.Callback):\n    def on_epoch_end(self, epoch, logs=None):\n"
    "        raise SystemExit\ndef callbacks():\n    return [C()]": ("net.py:12", "SystemExit"),
    "def callbacks():\n    return [keras.callbacks.History()]\n"
    "def augment(images, random):\n    1 / 0": ("net.py:13", "ZeroDivisionError"),
}


def test_an_error_in_the_middle_of_an_epoch_names_its_line(small_mnist: Path) -> None:
    after = """
class Broken(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        1 / 0
def callbacks():
    return [Broken()]
"""
    with pytest.raises(InputRefusedError) as caught:
        train("return sequential()", small_mnist, after=after, limit=400, batch_size=4)
    assert caught.value.subject == "net.py:13"
    assert "ZeroDivisionError" in caught.value.found


@pytest.mark.parametrize("after", FAILING)
def test_an_error_in_another_function_names_its_line(small_mnist: Path, after: str) -> None:
    where, found = FAILING[after]
    with pytest.raises(InputRefusedError) as caught:
        train("return sequential()", small_mnist, after=after, limit=60, batch_size=60)
    assert caught.value.subject == where
    assert found in caught.value.found


OWN_CLASSES = {
    "class S(keras.optimizers.schedules.LearningRateSchedule):\n    def __call__(self, step):\n"
    "        return self.absent\n    def get_config(self):\n        return {}": (
        "keras.optimizers.SGD(S())",
        "net.py:14",
        "AttributeError",
    ),
    "class S(keras.optimizers.schedules.LearningRateSchedule):\n    def __call__(self, step):\n"
    "        return 0.1\n    def get_config(self):\n        return self.absent": (
        "keras.optimizers.SGD(S())",
        "net.py:16",
        "AttributeError",
    ),
    "class O(keras.optimizers.SGD):\n    def update_step(self, *args):\n        import absent": (
        "O()",
        "net.py:14",
        "ModuleNotFoundError",
    ),
    "class O(keras.optimizers.SGD):\n    def update_step(self, *args):\n        raise SystemExit": (
        "O()",
        "net.py:14",
        "SystemExit",
    ),
}


@pytest.mark.parametrize("after", OWN_CLASSES)
def test_an_error_in_a_class_that_keras_calls_names_its_line(small_mnist: Path, after: str) -> None:
    optimizer, where, found = OWN_CLASSES[after]
    body = (
        "model = sequential(activation='softmax')\n"
        f"model.compile({optimizer}, 'sparse_categorical_crossentropy')\nreturn model"
    )
    with pytest.raises(InputRefusedError, match=found) as caught:
        train(body, small_mnist, after=after)
    assert caught.value.subject == where


ASSERTING = """
import tensorflow as tf
class Own(layers.Layer):
    def call(self, x, training=False):
        if training:
            tf.debugging.assert_less(x, 0.0, "not less")
        return x
class Steep(keras.optimizers.SGD):
    def update_step(self, gradient, *more):
        tf.debugging.assert_less(gradient, -9.0, "not less")
"""


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ("return sequential(Own())", "net.py:15"),
        ("model = sequential()\nmodel.compile(Steep(), LOSS)\nreturn model", "net.py:21"),
    ],
    ids=["fit", "fast trainer"],
)
def test_an_error_while_a_graph_runs_names_its_line(
    small_mnist: Path, body: str, where: str
) -> None:
    """Only TensorFlow's message says where, after a whole stack of functions."""
    loss = "\nLOSS = keras.losses.SparseCategoricalCrossentropy(True)"
    with pytest.raises(InputRefusedError) as caught:
        train(body, small_mnist, after=ASSERTING + loss)
    assert caught.value.subject == where
    assert "assertion failed: [not less]" in caught.value.found
    assert "File " not in caught.value.found


def test_an_error_in_a_weight_constraint_or_a_regularizer_names_its_line(small_mnist: Path) -> None:
    for kind in ("constraint", "regularizer"):
        after = f"class K(keras.{kind}s.{kind.title()}):\n    def __call__(self, w):\n        1 / 0"
        body = f"return sequential(layers.Dense(4, kernel_{kind}=K()))"
        with pytest.raises(InputRefusedError, match="ZeroDivisionError") as caught:
            train(body, small_mnist, after=after)
        assert caught.value.subject == "net.py:12"


def test_an_error_of_another_is_not_blamed_on_the_network(
    small_mnist: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mnist_tasks.training.loop.require_finite", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        train("return sequential()", small_mnist)


def test_what_a_callback_prints_goes_to_standard_error(
    small_mnist: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    after = """
class Printing(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        print("epoch", epoch, "is done")
def callbacks():
    return [Printing()]
"""
    train("return sequential()", small_mnist, after=after, epochs=1)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "epoch 0 is done" in printed.err


def test_a_missing_function_is_named_with_those_that_are_there(small_mnist: Path) -> None:
    with pytest.raises(InputRefusedError) as caught:
        train("return sequential()", small_mnist, network="net.py:model")
    assert caught.value.expected == "a function model that returns a Keras model"
    assert caught.value.found == "functions: sequential, build"
    Path("script.py").write_text("model = 1\n")
    with pytest.raises(InputRefusedError) as caught:
        train_file(small_mnist, network="script.py")
    assert caught.value.found == "no function"
    assert "def build(): ... return model" in str(caught.value.remedy)


@pytest.mark.parametrize(
    "after", ["", "\ndef callbacks():\n    return [keras.callbacks.History()]"]
)
def test_a_training_that_diverges_is_stopped(small_mnist: Path, after: str) -> None:
    body = (
        "model = sequential()\n"
        "loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)\n"
        "model.compile(keras.optimizers.SGD(1e38), loss)\n"
        "return model"
    )
    with pytest.raises(UsageError, match=r"the learning rate: 1e\+38") as caught:
        train(body, small_mnist, after=after)
    assert "Nothing was saved" in str(caught.value.remedy)
    assert not Path("model_latest.h5").exists()


def test_a_function_of_this_process_is_a_network(small_mnist: Path) -> None:
    def mine(classes: int) -> Any:
        import keras

        return keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(classes)])

    network = network_file.of_function(mine)
    config = TrainingConfig(network=network_file.reference(network), limit=60)
    record = run.train(config, lambda: store.load(small_mnist, "train"), network=network)
    assert record.network_source == network.source
    assert "def mine(classes" in network.source.text
    assert network.source.path == __file__

    def broken() -> Any:
        raise LookupError("gone")

    network = network_file.of_function(broken)
    with pytest.raises(MnistTasksError, match="LookupError: gone"):
        run.train(config, lambda: store.load(small_mnist, "train"), network=network)


def test_an_error_in_a_function_without_a_file_names_the_function(small_mnist: Path) -> None:
    for body, found in (("1 / 0", "ZeroDivisionError"), ("return 3", "int")):
        defined: dict[str, Any] = {}
        exec(f"def mine():\n    {body}", defined)  # noqa: S102 - as an interpreter does
        network = network_file.of_function(defined["mine"])
        config = TrainingConfig(network=network_file.reference(network), limit=60)
        with pytest.raises(InputRefusedError, match=found) as caught:
            run.train(config, lambda: store.load(small_mnist, "train"), network=network)
        assert caught.value.subject == "the function mine"


@pytest.mark.parametrize("named", ["mine:build", "mine/__init__.py", "outer.mine:build"])
def test_a_package_imports_its_modules(small_mnist: Path, here: Path, named: str) -> None:
    folder = here / "outer" / "mine" if named.startswith("outer") else here / "mine"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").touch()
    (folder / "blocks.py").write_text("from keras.layers import Flatten\n")
    text = "from .blocks import Flatten\nfrom . import blocks\n" + HEAD
    if named == "mine:build":
        text = "from mine import blocks\n" + text
    (folder / "__init__.py").write_text(text + "    return sequential(blocks.Flatten())\n")
    for _ in range(2):  # in one process
        source = train_file(small_mnist, network=named).network_source
        assert source is not None
        assert str((folder / "blocks.py").relative_to(here)) in source.imports


def test_what_the_code_imports_is_recorded(small_mnist: Path, here: Path) -> None:
    (here / "package").mkdir()
    (here / "package" / "__init__.py").touch()
    for name in ("blocks.py", "package/more.py"):
        (here / name).write_text("from keras.layers import Flatten\n")
    (here / "unused.py").touch()
    Path("net.py").write_text(
        "import blocks\n"
        + HEAD
        + "    from package import more\n    return sequential(blocks.Flatten(), more.Flatten())\n"
    )
    source = train_file(small_mnist).network_source
    assert source is not None
    content = (here / "blocks.py").read_bytes()
    assert source.imports == {
        "blocks.py": hashlib.sha256(content).hexdigest(),
        "package/__init__.py": hashlib.sha256(b"").hexdigest(),
        "package/more.py": hashlib.sha256(content).hexdigest(),
    }
