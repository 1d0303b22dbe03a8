"""Build model files without Keras: valid ones, and the means to make them invalid."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Config = dict[str, Any]
Weights = dict[str, Any]


def layer(kind: str, name: str, **settings: Any) -> Config:
    return {
        "module": "keras.layers",
        "class_name": kind,
        "config": {"name": name, "trainable": True, "dtype": "float32", **settings},
        "registered_name": None,
    }


def input_layer(shape: Sequence[int] = (28, 28, 1), name: str = "input_layer") -> Config:
    config = {"batch_shape": [None, *shape], "dtype": "float32", "sparse": False, "name": name}
    return {
        "module": "keras.layers",
        "class_name": "InputLayer",
        "config": config,
        "registered_name": None,
    }


def dense(units: int = 10, name: str = "dense", **settings: Any) -> Config:
    settings.setdefault("activation", "softmax")
    return layer("Dense", name, units=units, **settings)


def sequential(*layers: Config, name: str = "sequential") -> Config:
    return {
        "module": "keras",
        "class_name": "Sequential",
        "config": {
            "name": name,
            "trainable": True,
            "dtype": "float32",
            "layers": list(layers),
            "build_input_shape": [None, 28, 28, 1],
        },
        "registered_name": None,
    }


def small(*between: Config) -> Config:
    """Average-pool 28 x 28 to 4 x 4, then a dense layer: 170 parameters."""
    pool = layer("AveragePooling2D", "pool", pool_size=[7, 7], strides=[7, 7], padding="valid")
    return sequential(input_layer(), pool, layer("Flatten", "flatten"), *between, dense())


def small_weights() -> Weights:
    values = np.random.default_rng(0).normal(size=(16, 10)).astype("float32")
    return {"dense": {"kernel": values, "bias": np.zeros(10, "float32")}}


def call(item: Config, *sources: str, shape: Sequence[int] = (4,), **options: Any) -> Config:
    """Call a layer on the outputs of other layers, in a functional model."""
    tensors = [
        {
            "class_name": "__keras_tensor__",
            "config": {
                "shape": [None, *shape],
                "dtype": "float32",
                "keras_history": [source, 0, 0],
            },
        }
        for source in sources
    ]
    args = tensors if len(tensors) == 1 else [tensors]
    nodes = [{"args": args, "kwargs": options}] if sources else []
    return {**item, "name": item["config"]["name"], "inbound_nodes": nodes}


def functional(
    layers: Sequence[Config],
    inputs: Sequence[str],
    outputs: Sequence[str],
    name: str = "functional",
) -> Config:
    return {
        "module": "keras.src.models.functional",
        "class_name": "Functional",
        "config": {
            "name": name,
            "trainable": True,
            "layers": list(layers),
            "input_layers": [[source, 0, 0] for source in inputs],
            "output_layers": [[source, 0, 0] for source in outputs],
        },
        "registered_name": "Functional",
    }


def write_h5(
    config: object,
    weights: Weights | None = None,
    *,
    training: object = None,
    edit: Callable[[Any], None] | None = None,
) -> bytes:
    """Write an .h5 file as Keras does; ``edit`` may change it before it is closed."""
    import h5py

    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.attrs["keras_version"] = "3.15.1"
        file.attrs["backend"] = "tensorflow"
        text = config if isinstance(config, (str, bytes)) else json.dumps(config)
        file.attrs["model_config"] = text
        if training is not None:
            file.attrs["training_config"] = json.dumps(training)
        top = file.create_group("model_weights")
        weights = small_weights() if weights is None else weights
        top.attrs["layer_names"] = [name.encode() for name in weights]
        for name, values in weights.items():
            group = top.create_group(name)
            group.attrs["weight_names"] = [f"{name}/{weight}".encode() for weight in values]
            for weight, value in values.items():
                group.create_dataset(f"{name}/{weight}", data=value)
        if edit is not None:
            edit(file)
    return buffer.getvalue()


def write_weights(
    weights: Mapping[str, Any] | None = None, *, edit: Callable[[Any], None] | None = None
) -> bytes:
    """Write the model.weights.h5 of a .keras archive: datasets by their path."""
    import h5py

    if weights is None:
        kernel, bias = small_weights()["dense"].values()
        weights = {"layers/dense/vars/0": kernel, "layers/dense/vars/1": bias}
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for path, value in weights.items():
            file.create_dataset(path, data=value)
        if edit is not None:
            edit(file)
    return buffer.getvalue()


def members(
    config: object, weights: bytes | None = None, version: str = "3.15.1"
) -> dict[str, bytes]:
    text = config if isinstance(config, bytes) else json.dumps(config).encode()
    metadata = {"keras_version": version, "date_saved": "2026-01-01@00:00:00"}
    return {
        "metadata.json": json.dumps(metadata).encode(),
        "config.json": text,
        "model.weights.h5": write_weights() if weights is None else weights,
    }


def write_keras(config: object, weights: bytes | None = None, version: str = "3.15.1") -> bytes:
    return zipped(members(config, weights, version).items())


def zipped(
    items: Any, *, method: int = zipfile.ZIP_STORED, comment: bytes = b"", mode: int = 0o600
) -> bytes:
    """Write an archive as Keras does: members one after the other, stored."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in items:
            entry = zipfile.ZipInfo(name)
            entry.compress_type = method
            entry.external_attr = mode << 16
            archive.writestr(entry, data)
        archive.comment = comment
    return buffer.getvalue()
