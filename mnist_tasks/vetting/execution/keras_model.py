"""Build a model from its vetted description, and load its weights, with Keras 3 or Keras 2.

The model that is counted and the one that is run come from the same description through the same
function. It follows Keras's own `load_model`, without the training configuration.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mnist_tasks.dataset_info import ImageShape
from mnist_tasks.vetting.execution import build_once
from mnist_tasks.vetting.static import allowlist
from mnist_tasks.vetting.static.static_check import DeclaredModel
from mnist_tasks.vetting.untrusted_text import RefusedError, sanitize


@dataclass(frozen=True, kw_only=True)
class Library:
    """A Keras that can build models.

    Attributes
    ----------
    name
        With its version: ``Keras 3.15.1``.
    build
        Returns a model for a prepared description and the format of its file.
    without_weights
        A context in which models are built without allocating their weights.
    """

    name: str
    build: Callable[[Any, str], Any]
    without_weights: Callable[[], AbstractContextManager[Any]]


def keras_3() -> Library:
    """Return the installed Keras."""
    import keras
    from keras.src.legacy.saving import saving_options, saving_utils
    from keras.src.saving import serialization_lib

    def build(config: Any, file_format: str) -> Any:
        once = build_once.keras_3(keras.Sequential)
        if file_format == "keras":
            with once, serialization_lib.ObjectSharingScope():
                return keras.saving.deserialize_keras_object(config, safe_mode=True)
        legacy = saving_options.keras_option_scope(use_legacy_config=True)
        with once, legacy, serialization_lib.SafeModeScope(True):
            return saving_utils.model_from_config(config)

    return Library(
        name=f"Keras {keras.__version__}",
        build=build,
        without_weights=lambda: keras.StatelessScope(initialize_variables=False),
    )


def keras_2() -> Library:
    """Return tf-keras: Keras 2, which is still released for each TensorFlow."""
    import tensorflow as tf
    import tf_keras
    from tensorflow.python.ops import resource_variable_ops
    from tf_keras.src.saving import serialization_lib

    def build(config: Any, file_format: str) -> Any:
        with build_once.keras_2(tf_keras.Sequential):
            if file_format == "keras":
                with serialization_lib.ObjectSharingScope():
                    return serialization_lib.deserialize_keras_object(config, safe_mode=True)
            if isinstance(config["config"], list):  # a Sequential, as written before Keras 2.2.3
                config = {**config, "config": {"name": "sequential", "layers": config["config"]}}
            return tf_keras.models.model_from_config(config)

    def unallocated(_next_creator: Any, **settings: Any) -> Any:
        kept = {key: settings[key] for key in ("trainable", "shape", "dtype", "name")}
        return resource_variable_ops.UninitializedVariable(**kept)

    return Library(
        name=f"tf-keras {tf_keras.__version__}",
        build=build,
        without_weights=lambda: tf.variable_creator_scope(unallocated),
    )


def library_for(declared: DeclaredModel) -> Library:
    """Return the Keras of the file's own generation."""
    is_old = (declared.keras_version or "").startswith(("1.", "2."))
    return keras_2() if is_old else keras_3()


def build(
    declared: DeclaredModel, library: Library, *, file_format: str, image_shape: ImageShape
) -> Any:
    """Build the model that a file describes; its weights are the initial ones.

    Sizes of its input that the file leaves open become those of `image_shape`.
    """
    with _refusing("build", library):
        return library.build(_prepared(declared.config, image_shape), file_format)


def load(
    declared: DeclaredModel,
    library: Library,
    path: Path,
    *,
    file_format: str,
    image_shape: ImageShape,
) -> Any:
    """Build the model that a file describes, and load its weights, which must be finite."""
    model = build(declared, library, file_format=file_format, image_shape=image_shape)
    with _refusing("load the weights of", library):
        model.load_weights(str(path))
    # The static check saw the numbers of the file; one of 64 bits may be too large for 32.
    if not all(np.isfinite(np.asarray(weight, "float64")).all() for weight in model.weights):
        raise RefusedError("a weight is NaN or infinite")
    return model


@contextlib.contextmanager
def _refusing(action: str, library: Library) -> Iterator[None]:
    """Turn what Keras raises for a description that it can't use into a refusal."""
    try:
        yield
    except (TypeError, ValueError, LookupError, AttributeError, RuntimeError) as error:
        cause = sanitize(_cause(str(error)), limit=200)
        raise RefusedError(
            f"{library.name} can't {action} the model: {cause}",
            outcome="model-unsupported" if action == "build" else "model-unreadable",
        ) from error


def _cause(message: str) -> str:
    """Return the cause from Keras's message, which puts it after a dump of the description."""
    cause = message.rpartition("Exception encountered:")[2]
    return " ".join(cause.split()) or "no reason given"


def calls(model: Any) -> Iterator[tuple[Any, list[Any], list[Any]]]:
    """Yield each call of a layer that the model's outputs depend on: layer, inputs, outputs.

    A call comes after those that its inputs depend on. Layers have calls of other models, too. A
    nested model is one layer.
    """
    network = getattr(model, "_functional", None) or model  # a Sequential of Keras 3 wraps one
    for _, nodes in sorted(network._nodes_by_depth.items(), reverse=True):  # noqa: SLF001
        for node in nodes:
            if hasattr(node, "operation"):
                yield node.operation, list(node.input_tensors), list(node.output_tensors)
            else:  # Keras 2
                outputs = (
                    node.outputs if isinstance(node.outputs, (list, tuple)) else [node.outputs]
                )
                yield node.layer, list(node.keras_inputs), list(outputs)


def is_model(layer: Any) -> bool:
    """Return whether a layer is a nested model."""
    return type(layer).__name__ in allowlist.MODELS


def _prepared(config: Any, image_shape: ImageShape) -> Any:
    """Return a copy of a description with what depends on its training removed.

    That is what `compile` was given, at every depth, and the batch size: Keras 3 saves it with a
    Sequential that was built by `fit`, but runs the model at any. Open sizes of an image become
    those of `image_shape`, so that all shapes are known.
    """
    config = copy.deepcopy(config)  # Keras modifies it
    pending = [config]
    while pending:
        value = pending.pop()
        if isinstance(value, list):
            pending += value
        elif isinstance(value, dict):
            value.pop("compile_config", None)
            if "recurrent_dropout" in value:  # recurrent layers draw a mask at inference, too
                value["dropout"] = value["recurrent_dropout"] = 0.0
            for key in ("batch_shape", "batch_input_shape"):
                if isinstance(value.get(key), list):
                    value[key] = _open_batch(value[key], image_shape)
            if isinstance(value.get("build_input_shape"), list):
                value["build_input_shape"] = _open_batch(value["build_input_shape"], image_shape)
            pending += value.values()
    return config


def _open_batch(shape: list[Any], image_shape: ImageShape) -> list[Any]:
    sizes = shape[1:]
    if len(sizes) == 3:
        sizes = [given or usual for given, usual in zip(sizes, image_shape, strict=True)]
    return [None, *sizes]
