"""Usual Keras models pass: each allowed layer, common networks, both formats."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mnist_tasks.training import recipes
from mnist_tasks.vetting import sandbox
from mnist_tasks.vetting.execution import keras_model, model_size
from mnist_tasks.vetting.limits import DEFAULT
from mnist_tasks.vetting.protocol import Options, Request
from mnist_tasks.vetting.static import allowlist
from mnist_tasks.vetting.static.static_check import vet_bytes
from tests.vetting.crafted import handmade

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("tensorflow"),
    # Keras warns so about each .h5 file that it writes.
    pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

IMAGE = (28, 28, 1)
ROW = (28, 28)
# Arguments that a layer's class requires.
SETTINGS: dict[str, dict[str, Any]] = {
    "Activation": {"activation": "gelu"},
    "Conv1D": {"filters": 2, "kernel_size": 3, "padding": "causal"},
    "Conv2D": {
        "filters": 2,
        "kernel_size": 3,
        "kernel_regularizer": "l2",
        "kernel_constraint": "max_norm",
        "kernel_initializer": "he_normal",
    },
    "Conv2DTranspose": {"filters": 2, "kernel_size": 3, "strides": 2, "output_padding": 1},
    "SeparableConv1D": {"filters": 2, "kernel_size": 3},
    "SeparableConv2D": {"filters": 2, "kernel_size": 3},
    "DepthwiseConv1D": {"kernel_size": 3},
    "DepthwiseConv2D": {"kernel_size": 3},
    "Dense": {"units": 3},
    "Reshape": {"target_shape": (784,)},
    "Permute": {"dims": (2, 1, 3)},
    "RepeatVector": {"n": 2},
    "MaxPooling1D": {"pool_size": 2},
    "MaxPooling2D": {"pool_size": 2},
    "AveragePooling1D": {"pool_size": 2},
    "AveragePooling2D": {"pool_size": 2},
    "AdaptiveMaxPooling2D": {"output_size": 7},
    "AdaptiveAveragePooling2D": {"output_size": 7},
    "CenterCrop": {"height": 20, "width": 20},
    "Resizing": {"height": 14, "width": 14},
    "Rescaling": {"scale": 2.0, "offset": -1.0},
    "Normalization": {"axis": None, "mean": 0.13, "variance": 0.09},
    "GroupNormalization": {"groups": 1},
    "Dropout": {"rate": 0.1, "seed": 3},
    "SpatialDropout1D": {"rate": 0.1},
    "SpatialDropout2D": {"rate": 0.1},
    "AlphaDropout": {"rate": 0.1},
    "GaussianDropout": {"rate": 0.1},
    "GaussianNoise": {"stddev": 0.1},
    "PReLU": {"shared_axes": [1, 2]},
    "Dot": {"axes": 1},
    "LSTM": {"units": 3, "dropout": 0.1, "recurrent_dropout": 0.1},
    "GRU": {"units": 3, "return_sequences": True, "recurrent_activation": "hard_sigmoid"},
    "SimpleRNN": {"units": 3, "go_backwards": True, "recurrent_regularizer": "l2"},
    "MultiHeadAttention": {"num_heads": 2, "key_dim": 3},
    "RandomBrightness": {"factor": 0.1},
    "RandomContrast": {"factor": 0.1},
    "RandomCrop": {"height": 20, "width": 20},
    "RandomRotation": {"factor": 0.1},
    "RandomTranslation": {"height_factor": 0.1, "width_factor": 0.1},
    "RandomZoom": {"height_factor": 0.1},
}
MERGING = {"Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot"}


SEQUENCES = {*allowlist.RECURRENT, "Bidirectional", "MultiHeadAttention"}


NO_H5 = {"RandomBrightness"}  # Keras fails to save it


def input_shape(kind: str) -> tuple[int, ...]:
    if kind in MERGING or kind == "RepeatVector":
        return (784,)
    return ROW if "1D" in kind or kind in SEQUENCES else IMAGE


def passes(model: Any, folder: Path) -> None:
    """Save a model in both formats; vet, measure and load each as the child does."""
    # .keras first: saving an .h5 file removes the optimizer from the model's compile_config.
    for kind in ("keras", "h5"):
        path = folder / f"model.{kind}"
        if kind == "h5" and any(type(layer).__name__ in NO_H5 for layer in model.layers):
            continue
        model.save(path)
        declared = vet_bytes(path.read_bytes(), file_format=kind, limits=DEFAULT)
        assert declared.weights == model.count_params()
        library = keras_model.keras_3()
        request = Request(
            model=path.name,
            file_format=kind,
            sha256="",
            image_sets=[],
            options=Options(),
            limits=DEFAULT,
            parent=0,
        )
        with library.without_weights():
            built = keras_model.build(declared, library, file_format=kind, image_shape=(28, 28, 1))
            facts = model_size.measure(built, declared, library, request)
        assert facts.trainable + facts.non_trainable == model.count_params()
        loaded = keras_model.load(
            declared, library, path, file_format=kind, image_shape=(28, 28, 1)
        )
        assert model_size.measure(loaded, declared, library, request) == facts
        for ours, theirs in zip(model.weights, loaded.weights, strict=True):
            np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs))


@pytest.mark.parametrize("kind", sorted(allowlist.LAYERS - {"InputLayer"}))
def test_each_allowed_layer(kind: str, tmp_path: Path) -> None:
    import keras

    inner = {"layer": keras.layers.LSTM(3)} if kind == "Bidirectional" else {}
    made = getattr(keras.layers, kind)(**SETTINGS.get(kind, {}), **inner)
    images = keras.Input(input_shape(kind))
    if kind == "MultiHeadAttention":
        outputs = made(images, images, use_causal_mask=True)
    else:
        outputs = made([images, images]) if kind in MERGING else made(images)
    passes(keras.Model(images, outputs), tmp_path)


def networks() -> dict[str, Any]:  # noqa: C901 - one after the other
    """Return functions that build common networks, by name."""
    from keras import (
        Input,
        Model,
        Sequential,
        constraints,
        dtype_policies,
        initializers,
        regularizers,
    )
    from keras import layers as kl

    def literal() -> Any:
        stack = [Input(IMAGE)]
        for _ in range(4):
            stack += [kl.Conv2D(16, 3, activation="relu"), kl.BatchNormalization()]
        stack += [kl.MaxPooling2D(), kl.Dropout(0.1), kl.Flatten()]
        return Sequential([*stack, kl.Dense(10, activation="softmax")])

    def residual() -> Any:
        images = Input(IMAGE)
        x = kl.Rescaling(1.0)(images)
        x = kl.Conv2D(8, 3, padding="same", activation=kl.LeakyReLU(negative_slope=0.1))(x)
        y = kl.SeparableConv2D(8, 3, padding="same", use_bias=False)(x)
        y = kl.PReLU(shared_axes=[1, 2])(kl.BatchNormalization(momentum=0.9)(y))
        x = kl.Concatenate()([kl.Add()([x, y]), kl.Multiply()([x, y])])
        x = kl.GlobalAveragePooling2D()(x)
        return Model(images, kl.Dense(10, activation="softmax")(x))

    def nested() -> Any:
        inner = Sequential([kl.Conv2D(4, 3, activation="relu"), kl.MaxPooling2D()], name="inner")
        images = Input(IMAGE)
        branch = Model(images, kl.GlobalMaxPooling2D()(kl.Conv2D(4, 5)(images)), name="branch")
        again = Input(IMAGE, name="again")
        x = kl.Concatenate()([kl.Flatten()(inner(again)), branch(again)])
        return Model(again, kl.Softmax()(kl.Dense(10)(x)))

    def shared() -> Any:
        images = Input(IMAGE)
        convolution = kl.Conv2D(4, 3, padding="same")
        x = kl.Conv2D(4, 3, padding="same")(images)
        x = kl.GlobalAveragePooling2D()(convolution(convolution(x)))
        return Model(images, kl.Dense(10, activation="softmax")(x))

    def augmented() -> Any:
        return Sequential(
            [
                Input(IMAGE),
                kl.RandomRotation(0.05),
                kl.RandomTranslation(0.1, 0.1, fill_mode="constant"),
                kl.GaussianNoise(0.05),
                kl.Flatten(),
                kl.Dense(10, activation="softmax"),
            ]
        )

    def adapted() -> Any:
        normalization = kl.Normalization()
        normalization.adapt(np.random.default_rng(0).random((8, *IMAGE)))
        return Sequential([Input(IMAGE), normalization, kl.Flatten(), kl.Dense(10)])

    def configured() -> Any:
        dense = kl.Dense(
            10,
            kernel_initializer=initializers.VarianceScaling(2.0, "fan_out", seed=1),
            bias_initializer=initializers.Constant(0.1),
            kernel_regularizer=regularizers.L1L2(1e-5, 1e-4),
            kernel_constraint=constraints.MinMaxNorm(0.1, 2.0),
            activity_regularizer=regularizers.L1(1e-6),
        )
        return Sequential([Input(IMAGE), kl.Flatten(), dense, kl.Activation("softmax")])

    def mixed(policy: str) -> Any:
        half = dtype_policies.DTypePolicy(policy)
        return Sequential(
            [
                Input(IMAGE),
                kl.Conv2D(4, 3, dtype=half),
                kl.Flatten(dtype=half),
                kl.Dense(10, activation="softmax", dtype="float32"),
            ]
        )

    def any_size() -> Any:
        images = Input((None, None, 1))
        x = kl.GlobalAveragePooling2D()(kl.Conv2D(10, 3)(images))
        return Model(images, kl.Softmax()(x))

    def flat() -> Any:
        return Sequential([Input((784,)), kl.Dense(32, "relu"), kl.Dense(10, "softmax")])

    def unbuilt() -> Any:
        model = Sequential([kl.Flatten(), kl.Dense(10, "softmax")])
        model.build((None, *IMAGE))
        return model

    return {
        "literal": literal,
        "residual": residual,
        "nested": nested,
        "shared": shared,
        "augmented": augmented,
        "adapted": adapted,
        "configured": configured,
        "mixed_float16": lambda: mixed("mixed_float16"),
        "mixed_bfloat16": lambda: mixed("mixed_bfloat16"),
        "float16": lambda: mixed("float16"),
        "float64": lambda: mixed("float64"),
        "any_size": any_size,
        "flat": flat,
        "unbuilt": unbuilt,
    }


NETWORKS = sorted(
    allowlist.words("""
    literal residual nested shared augmented adapted configured mixed_float16 mixed_bfloat16
    float16 float64 any_size flat unbuilt
    """)
)


@pytest.mark.parametrize("name", NETWORKS)
def test_each_common_network(name: str, tmp_path: Path) -> None:
    model = networks()[name]()
    assert set(networks()) == set(NETWORKS)
    passes(model, tmp_path)


def setups() -> dict[str, dict[str, Any]]:
    """Return common arguments of ``compile``, by name."""
    from keras import losses, metrics, optimizers
    from keras.optimizers import schedules

    return {
        "ours": {
            "optimizer": optimizers.Adagrad(schedules.CosineDecay(0.01, 9, 0.0, "c", 0.3, 3)),
            "loss": "sparse_categorical_crossentropy",
            "metrics": ["accuracy"],
        },
        "adam": {
            "optimizer": optimizers.AdamW(
                schedules.PiecewiseConstantDecay([5, 9], [0.1, 0.01, 0.001]), clipnorm=1.0
            ),
            "loss": losses.SparseCategoricalCrossentropy(from_logits=False, reduction="sum"),
            "metrics": [
                metrics.SparseCategoricalAccuracy(),
                metrics.SparseTopKCategoricalAccuracy(),
            ],
        },
        "scaled": {
            "optimizer": optimizers.LossScaleOptimizer(optimizers.SGD(momentum=0.9, nesterov=True)),
            "loss": losses.sparse_categorical_crossentropy,
            "metrics": None,
        },
        "average": {
            "optimizer": optimizers.RMSprop(
                schedules.ExponentialDecay(0.01, 9, 0.5, staircase=True), use_ema=True
            ),
            "loss": "sparse_categorical_crossentropy",
            "weighted_metrics": ["accuracy"],
            "jit_compile": False,
        },
    }


@pytest.mark.parametrize("name", ["ours", "adam", "scaled", "average"])
def test_each_common_training(name: str, tmp_path: Path) -> None:
    import keras

    model = networks()["literal"]()
    model.compile(**setups()[name])
    model.run_eagerly = True  # two steps need no graph
    images = np.zeros((8, *IMAGE), "float32")
    model.fit(images, np.arange(8), batch_size=4, verbose=0)
    passes(model, tmp_path)
    for kind in ("h5", "keras"):  # as a user may load it once it has passed
        keras.models.load_model(tmp_path / f"model.{kind}")


def keras_2(*layers: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    """Describe a model as Keras 2 did: no modules, batch_input_shape, strings for objects."""
    return {
        "class_name": "Sequential",
        "config": {
            "name": "sequential",
            "layers": [
                {"class_name": kind, "config": {"name": kind.lower(), **config}}
                for kind, config in layers
            ],
        },
    }


def test_a_model_of_keras_2(tmp_path: Path) -> None:
    common = {"trainable": True, "dtype": "float32"}
    zeros = {"class_name": "Zeros", "config": {}}
    uniform = {"class_name": "GlorotUniform", "config": {"seed": None}}
    config = keras_2(
        (
            "InputLayer",
            {
                "batch_input_shape": [None, *IMAGE],
                "dtype": "float32",
                "sparse": False,
                "ragged": False,
            },
        ),
        (
            "AveragePooling2D",
            {
                **common,
                "pool_size": [7, 7],
                "padding": "valid",
                "strides": [7, 7],
                "data_format": "channels_last",
            },
        ),
        ("Flatten", {**common, "data_format": "channels_last"}),
        (
            "Dense",
            {
                **common,
                "units": 10,
                "activation": "softmax",
                "use_bias": True,
                "kernel_initializer": uniform,
                "bias_initializer": zeros,
                "kernel_regularizer": {"class_name": "L2", "config": {"l2": 0.01}},
                "bias_regularizer": None,
                "activity_regularizer": None,
                "kernel_constraint": None,
                "bias_constraint": None,
            },
        ),
    )
    training = {
        "loss": "sparse_categorical_crossentropy",
        "metrics": [
            [
                {
                    "class_name": "MeanMetricWrapper",
                    "config": {
                        "name": "accuracy",
                        "dtype": "float32",
                        "fn": "sparse_categorical_accuracy",
                    },
                }
            ]
        ],
        "weighted_metrics": None,
        "loss_weights": None,
        "optimizer_config": {
            "class_name": "Adagrad",
            "config": {
                "name": "Adagrad",
                "learning_rate": 0.01,
                "decay": 0.0,
                "initial_accumulator_value": 0.1,
                "epsilon": 1e-07,
            },
        },
    }
    values = handmade.small_weights()["dense"]
    weights = {"dense": {f"{name}:0": value for name, value in values.items()}}
    path = tmp_path / "keras2.h5"
    path.write_bytes(handmade.write_h5(config, weights, training=training))
    inspection = sandbox.inspect(path, image_sets={"test": np.zeros((3, 28, 28), np.uint8)})
    assert inspection.parameters == 170
    assert inspection.no_predictions_reason is None


def test_sequences_and_functions_predict_as_in_keras(tmp_path: Path) -> None:
    import keras
    from keras import layers as kl

    images = keras.Input(ROW)
    x = 1.0 - keras.ops.relu(images * 2.0 - 1.0) / 3.0 + images**2
    x = keras.ops.maximum(keras.ops.tanh(x), -images)
    y = kl.Bidirectional(kl.LSTM(4, return_sequences=True, dropout=0.2, recurrent_dropout=0.1))(x)
    y = kl.GRU(3, return_sequences=True)(y)
    y = kl.MultiHeadAttention(2, 3)(y, value=y)
    model = keras.Model(images, kl.Dense(10, "softmax")(kl.Flatten()(y)))
    model.save(tmp_path / "model.keras")
    digits = np.random.default_rng(1).integers(0, 256, (50, 28, 28), np.uint8)
    inspection = sandbox.inspect(tmp_path / "model.keras", image_sets={"test": digits})
    assert inspection.no_predictions_reason is None
    # 2, 1, 3, 1 and the power of 2 are numbers of the model, too.
    assert inspection.parameters == model.count_params() + 5
    expected = model.predict(digits / np.float32(255), verbose=0)
    np.testing.assert_allclose(inspection.probabilities["test"], expected, atol=1e-5)


def test_predictions_are_those_of_keras(tmp_path: Path) -> None:
    """Both formats predict the same, each in a process of its own and in an order of its own."""
    images = np.random.default_rng(1).integers(0, 256, (600, 28, 28), np.uint8)
    model = networks()["residual"]()
    expected = model.predict(images[..., None] / np.float32(255), verbose=0)
    found = []
    for kind in ("h5", "keras"):
        path = tmp_path / f"model.{kind}"
        model.save(path)
        sets = {"test": images, "one": images[:1], "none": images[:0]}
        inspection = sandbox.inspect(path, image_sets=sets, latency_runs=5)
        assert inspection.probabilities["one"].shape == (1, 10)
        assert inspection.probabilities["none"].shape == (0, 10)
        assert len(inspection.latency) == 5
        assert min(inspection.latency) > 0
        kinds = [type(layer).__name__ for layer in model.layers]
        assert [layer.kind for layer in inspection.layers] == kinds
        assert inspection.parameters == model.count_params() + inspection.other_numbers
        assert inspection.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        found.append(inspection.probabilities["test"])
    np.testing.assert_allclose(found[0], expected, atol=1e-5)
    np.testing.assert_allclose(found[0], found[1], rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", sorted(recipes.RECIPES))
def test_each_recipe(name: str, tmp_path: Path) -> None:
    from mnist_tasks.training.model import build_model

    model = build_model(recipes.RECIPES[name])
    model.optimizer.build(model.trainable_variables)
    passes(model, tmp_path)
