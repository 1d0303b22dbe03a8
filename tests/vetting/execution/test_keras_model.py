"""Models of Keras 2 and 3 are built, counted, loaded and run as their own Keras would."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mnist_tasks.errors import InputRefusedError
from mnist_tasks.vetting import sandbox
from mnist_tasks.vetting.execution import keras_model

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("tensorflow"),
    # Both Kerases warn so about each .h5 file that they write.
    pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

IMAGES = np.random.default_rng(1).integers(0, 256, (100, 28, 28), np.uint8)
INPUTS = (IMAGES / np.float32(255))[..., None]


def old_network() -> Any:
    from tf_keras import Sequential, layers

    return Sequential(
        [
            layers.Conv2D(4, 3, strides=2, activation=layers.LeakyReLU(), input_shape=(28, 28, 1)),
            layers.BatchNormalization(),
            layers.DepthwiseConv2D(3, activation="relu"),
            layers.SeparableConv2D(6, 3),
            layers.GlobalAveragePooling2D(),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )


def edit_config(path: Path, edit: Callable[[Any], Any]) -> None:
    import h5py

    with h5py.File(path, "r+") as file:
        file.attrs["model_config"] = json.dumps(edit(json.loads(file.attrs["model_config"])))


def config_as_list(config: dict[str, Any]) -> dict[str, Any]:
    """Return the description as Keras 2.2.2 and older wrote it."""
    layers = config["config"]["layers"][1:]  # without the InputLayer
    layers[0]["config"]["batch_input_shape"] = [None, 28, 28, 1]
    return {**config, "config": layers}


@pytest.mark.parametrize("kind", ["h5", "keras"])
def test_a_model_of_keras_2_runs_with_keras_2(kind: str, tmp_path: Path) -> None:
    model = old_network()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(INPUTS, np.arange(100) % 10, verbose=0)
    path = tmp_path / f"model.{kind}"
    model.save(path)
    found = sandbox.inspect(path, image_sets={"test": IMAGES})
    assert found.no_predictions_reason is None
    assert found.keras.startswith("tf-keras 2.")
    assert found.keras_version is not None
    assert found.keras_version.startswith("2.")
    assert found.parameters == model.count_params()
    expected = model.predict(INPUTS, verbose=0)
    np.testing.assert_allclose(found.probabilities["test"], expected, atol=1e-5)


def test_the_list_of_layers_of_an_older_keras_is_read(tmp_path: Path) -> None:
    model = old_network()
    path = tmp_path / "model.h5"
    model.save(path)
    edit_config(path, config_as_list)
    found = sandbox.inspect(path, image_sets={"test": IMAGES})
    expected = model.predict(INPUTS, verbose=0)
    np.testing.assert_allclose(found.probabilities["test"], expected, atol=1e-5)


@pytest.mark.parametrize("kind", ["h5", "keras"])
def test_a_batch_size_in_the_file_does_not_matter(kind: str, tmp_path: Path) -> None:
    import keras

    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(10, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(INPUTS[:96], np.arange(96) % 10, batch_size=32, verbose=0)
    path = tmp_path / f"model.{kind}"
    model.save(path)
    assert b"[32, 28, 28" in path.read_bytes()
    found = sandbox.inspect(path, image_sets={"test": IMAGES})
    assert found.input_shapes == ((None, 28, 28, 1),)
    expected = model.predict(INPUTS, verbose=0)
    np.testing.assert_allclose(found.probabilities["test"], expected, atol=1e-5)


@pytest.mark.parametrize("kind", ["h5", "keras"])
def test_what_a_nested_model_was_compiled_with_is_never_built(kind: str, tmp_path: Path) -> None:
    import keras

    inner = keras.Sequential([keras.Input((784,)), keras.layers.Dense(10, activation="softmax")])
    inner.compile("sgd", "categorical_crossentropy", metrics=[keras.metrics.AUC(num_thresholds=3)])
    inputs = keras.Input((28, 28, 1))
    model = keras.Model(inputs, inner(keras.layers.Flatten()(inputs)))
    path = tmp_path / f"model.{kind}"
    model.save(path)
    found = sandbox.inspect(path, image_sets={"test": IMAGES})
    assert found.no_predictions_reason is None
    prepared = keras_model._prepared(
        {"config": {"layers": [{"compile_config": {"a": 1}, "config": {"compile_config": {}}}]}},
        (28, 28, 1),
    )
    assert "compile_config" not in json.dumps(prepared)


def test_the_cause_is_told_with_the_keras_that_failed(tmp_path: Path) -> None:
    model = old_network()
    path = tmp_path / "model.h5"
    model.save(path)

    def break_it(config: dict[str, Any]) -> dict[str, Any]:
        config["config"]["layers"][2]["config"]["axis"] = [7]
        return config

    edit_config(path, break_it)
    with pytest.raises(InputRefusedError) as caught:
        sandbox.inspect(path, image_sets={"test": IMAGES})
    assert caught.value.found.startswith("tf-keras 2.")
    assert "can't build the model" in caught.value.found
    assert "axis" in caught.value.found
    assert len(caught.value.found) < 300


def test_a_weight_that_is_too_large_for_its_type_is_refused(tmp_path: Path) -> None:
    import h5py
    import keras

    model = keras.Sequential([keras.Input((784,)), keras.layers.Dense(10, name="dense")])
    path = tmp_path / "model.h5"
    model.save(path)
    with h5py.File(path, "r+") as file:
        group = file["model_weights/dense"]
        (name,) = [each for each in group.attrs["weight_names"] if "bias" in str(each)]
        name = name if isinstance(name, str) else name.decode()
        del group[name]
        group[name] = np.full(10, 1e300)
    with pytest.raises(InputRefusedError, match="a weight is NaN or infinite"):
        sandbox.inspect(path, image_sets={"test": IMAGES})
