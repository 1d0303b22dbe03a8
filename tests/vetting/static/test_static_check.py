"""What the static check says of files that it passes, without Keras."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from mnist_tasks.vetting import sandbox
from mnist_tasks.vetting.limits import DEFAULT
from mnist_tasks.vetting.static.static_check import vet_bytes
from mnist_tasks.vetting.untrusted_text import RefusedError
from tests.vetting.crafted import handmade

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def _version_of_h5(version: object) -> bytes:
    def edit(file: Any) -> None:
        del file.attrs["keras_version"]
        if version is not None:
            file.attrs["keras_version"] = version

    return handmade.write_h5(handmade.small(), edit=edit)


def _version_of_weights(file: Any) -> None:
    del file.attrs["keras_version"]
    file["model_weights"].attrs["keras_version"] = b"2.1.5"


def _version_of_keras(**metadata: object) -> bytes:
    members = handmade.members(handmade.small())
    members["metadata.json"] = json.dumps(metadata).encode()
    return handmade.zipped(members.items())


@pytest.mark.parametrize(
    ("make", "file_format", "version"),
    [
        (lambda: _version_of_h5("2.2.4-tf"), "h5", "2.2.4-tf"),
        (lambda: _version_of_h5(None), "h5", None),
        (lambda: _version_of_h5("\x1b[2Jthree"), "h5", None),
        (
            lambda: handmade.write_h5(handmade.small(), edit=_version_of_weights),
            "h5",
            "2.1.5",
        ),
        (lambda: _version_of_keras(keras_version="3.15.1"), "keras", "3.15.1"),
        (lambda: _version_of_keras(keras_version="pickle"), "keras", None),
        (_version_of_keras, "keras", None),
    ],
)
def test_the_version_of_keras_is_that_of_the_file(
    make: Callable[[], bytes], file_format: str, version: str | None
) -> None:
    assert vet_bytes(make(), file_format=file_format, limits=DEFAULT).keras_version == version


def test_vet_returns_the_version_of_keras(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    path.write_bytes(handmade.write_keras(handmade.small()))
    assert sandbox.vet(path).keras_version == "3.15.1"


ADAM = {"name": "Adam", "lr": 0.001, "decay": 0.0, "beta_1": 0.9, "amsgrad": False}
TRAINING: dict[str, Any] = {
    "keras 2.1": {
        "optimizer_config": {"class_name": "Adam", "config": ADAM},
        "loss": "categorical_crossentropy",
        "metrics": ["accuracy", "<lambda>"],
        "sample_weight_mode": None,
        "loss_weights": None,
    },
    "keras 2.12": {
        "loss": {"out": "CategoricalCrossentropy"},
        "metrics": [[{"class_name": "MeanMetricWrapper", "config": {"fn": "accuracy"}}], []],
        "sample_weight_mode": {"out": "temporal"},
        "optimizer_config": {"class_name": "Custom>Adam", "config": {"is_legacy_optimizer": False}},
    },
    "keras 2.15": {
        "optimizer": {
            "module": "keras.optimizers.experimental",
            "class_name": "Adam",
            "config": {**ADAM, "jit_compile": True},
            "registered_name": None,
        },
        "loss": {
            "module": "builtins",
            "class_name": "function",
            "config": "categorical_crossentropy",
            "registered_name": "function",
        },
    },
    "keras 3.1": {"optimizer": "adam", "loss": "CategoricalCrossentropy", "metrics": None},
    "tf-keras": {
        "optimizer": {
            "module": "tf_keras.src.optimizers.legacy.adam",
            "class_name": "Adam",
            "config": {"learning_rate": {"class_name": "InverseTimeDecay", "config": {"x": [1.5]}}},
        }
    },
    "a loss of a notebook": {
        "loss": {
            "module": None,
            "class_name": "FocalLoss",
            "config": {"gamma": 2.0},
            "registered_name": "my package>FocalLoss",
        }
    },
    "words of no version": {"optimizer": "newest", "loss": ["l1", {"a": "b"}], "later": [[{}]]},
    "no object": ["adam", None],
}


@pytest.mark.parametrize("name", TRAINING)
def test_no_word_of_a_training_configuration_is_a_reason_to_refuse(name: str) -> None:
    training = TRAINING[name]
    inner = {**handmade.sequential(handmade.layer("ReLU", "r"), name="inner")}
    both = {
        "h5": handmade.write_h5(handmade.small(), training=training),
        "keras": handmade.write_keras(
            {
                **handmade.small({**inner, "compile_config": training}),
                "compile_config": training,
            }
        ),
    }
    for file_format, data in both.items():
        assert vet_bytes(data, file_format=file_format, limits=DEFAULT).weights == 170


@pytest.mark.parametrize(
    "layer",
    [
        {
            **handmade.layer("Logaddexp", "add"),
            "module": "keras.src.ops.numpy",
        },
        handmade.layer("TFOpLambda", "tf.__operators__.add", function="__operators__.add"),
    ],
)
def test_an_operator_is_refused_with_the_layer_to_use(layer: dict[str, Any]) -> None:
    with pytest.raises(RefusedError) as refused:
        vet_bytes(
            handmade.write_h5(handmade.small(layer)),
            file_format="h5",
            limits=DEFAULT,
        )
    assert refused.value.outcome == "model-unsupported"
    assert "a layer instead of the operation" in str(refused.value.expected)


LISTED = handmade.small()
LISTED["config"] = LISTED["config"]["layers"]


def test_a_sequential_of_keras_2_may_be_a_list() -> None:
    assert vet_bytes(handmade.write_h5(LISTED), file_format="h5", limits=DEFAULT).weights == 170


def test_weights_of_keras_2_14_belong_to_their_layers() -> None:
    weights = handmade.write_weights(
        {
            f"_layer_checkpoint_dependencies/dense/vars/{number}": value
            for number, value in enumerate(handmade.small_weights()["dense"].values())
        }
    )
    data = handmade.write_keras(handmade.small(), weights)
    assert vet_bytes(data, file_format="keras", limits=DEFAULT).weights == 170


@pytest.mark.parametrize(
    "settings",
    [
        {"compression": "gzip"},
        {"compression": "gzip", "shuffle": True, "fletcher32": True},
        {"chunks": (4, 10)},
        {"maxshape": (None, 10)},
    ],
)
@pytest.mark.parametrize("optimizer", [False, True])
def test_a_compressed_file_passes(settings: dict[str, Any], optimizer: bool) -> None:
    def edit(file: Any) -> None:
        path = "model_weights/dense/dense/kernel"
        values = file[path][()]
        if optimizer:
            path = "optimizer_weights/kernel"
        else:
            del file[path]
        file.create_dataset(path, data=values, **settings)

    data = handmade.write_h5(handmade.small(), edit=edit)
    assert vet_bytes(data, file_format="h5", limits=DEFAULT).weights == 170
