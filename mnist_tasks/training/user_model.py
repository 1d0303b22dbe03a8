"""Build the user's own Keras model, and prepare it for training: shapes, loss, optimizer."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from mnist_tasks.dataset_info import DatasetInfo
from mnist_tasks.errors import InputRefusedError, Reason, printable
from mnist_tasks.training import user_code, user_loss
from mnist_tasks.training.model import build_optimizer
from mnist_tasks.training.network_file import REASON, NetworkFile
from mnist_tasks.training.recipe import Recipe
from mnist_tasks.training.user_loss import Loss
from mnist_tasks.vetting.execution import inference

# Of the scopes of a graph of TensorFlow; the outermost one, that of the model, starts otherwise.
_SCOPE = re.compile(r"[A-Za-z0-9_.\\/>-]*")
_OUTER_SCOPE = re.compile(rf"[A-Za-z0-9.]{_SCOPE.pattern}")


@dataclass(frozen=True, kw_only=True)
class UserModel:
    """The user's model, compiled, with what else her file has.

    Attributes
    ----------
    learning_rate
        That of the first step, or the class of the optimizer's own schedule.
    augment
        Her function from images (n, h, w) or (n, h, w, 3) uint8 and a random generator to images
        of the same shape and type.
    callbacks
        For Keras's ``fit``.
    is_hers
        Whether the model came compiled, with its own optimizer, loss and metrics.
    """

    model: keras.Model
    loss: Loss
    learning_rate: float | str
    augment: Callable[[Any, np.random.Generator], Any] | None
    callbacks: tuple[keras.callbacks.Callback, ...]
    is_hers: bool


def build(
    file: NetworkFile,
    recipe: Recipe,
    *,
    changed: frozenset[str],
    steps: int,
    info: DatasetInfo,
) -> UserModel:
    """Run the user's code, and check what it returns.

    Parameters
    ----------
    changed
        The settings of the recipe that the user named.
    steps
        Number of steps of the training.
    info
        What the images and their classes are.

    Raises
    ------
    InputRefusedError
        Her code raises an error, or returns something that can't be trained on these images.
    UsageError
        A setting has no effect on her model.
    """
    module = ModuleType("") if file.given else user_code.load(file)
    function = file.given or user_code.function(module, file.source.function, file)
    if function is None:
        others = _functions(module)
        raise InputRefusedError(
            file.source.path,
            expected=f"a function {file.source.function} that returns a Keras model",
            found=f"functions: {others}" if others else "no function",
            remedy=f"Name the function: {file.source.path}:FUNCTION"
            if others
            else f"Build the model in a function: def {file.source.function}(): ... return model",
            reason=REASON,
        )
    model = _model(function, file, info)
    where = user_code.line_of(function, file)
    _require_shapes(model, where, info)
    _require_names(model, where)
    with user_code.running(file):
        outputs = np.asarray(model(_probe(info), training=False), np.float32)
        callbacks = user_code.function(module, "callbacks", file)
        found = callbacks() if callbacks else ()
    if not _are_callbacks(found):
        raise InputRefusedError(
            user_code.line_of(callbacks, file) if callbacks else where,
            expected="a list of Keras callbacks",
            found=printable(type(found).__name__),
            reason=REASON,
        )
    is_hers = bool(model.compiled)
    if not is_hers:
        model.compile(
            optimizer=build_optimizer(recipe, steps=steps),
            loss=keras.losses.SparseCategoricalCrossentropy(
                from_logits=not inference.are_distributions(outputs.astype(np.float64)).all()
            ),
            metrics=["accuracy"],
        )
        rate: float | str = recipe.learning_rate
    else:
        rate = user_loss.own_learning_rate(model, recipe, changed, where)
    with user_code.running(file):
        loss = user_loss.of(model, outputs, where)
    return UserModel(
        model=model,
        loss=loss,
        learning_rate=rate,
        augment=user_code.function(module, "augment", file),
        callbacks=tuple(found or ()),
        is_hers=is_hers,
    )


def without_class(model: keras.Model) -> keras.Model:
    """Return a trained model as one that a file can describe without a class of the user's."""
    if user_loss.is_of_keras(model):
        return model
    plain = keras.Model(model.inputs, model.outputs, name=model.name)
    plain.compile(optimizer=model.optimizer, loss=model.loss)
    return plain


def _model(
    function: Callable[..., Any],
    file: NetworkFile,
    info: DatasetInfo,
) -> keras.Model:
    """Call the user's function, with what its parameters ask for."""
    offered = {"input_shape": info.image_shape, "classes": len(info.classes)}
    parameters = inspect.signature(function).parameters
    where = user_code.line_of(function, file)
    for name, each in parameters.items():
        if each.default is each.empty and each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD):
            if name in offered and each.kind is not each.POSITIONAL_ONLY:
                continue
            raise InputRefusedError(
                where,
                expected=f"no parameters but {' and '.join(offered)}",
                found=f"the parameter {printable(name)}, which has no default",
                reason=REASON,
            )
    with user_code.running(file):
        model = function(**{name: offered[name] for name in parameters if name in offered})
        if isinstance(model, keras.Sequential) and not model.built:
            model.build((None, *info.image_shape))  # a model without an input gets the images'
    if not isinstance(model, keras.Model):
        kind = type(model)
        raise InputRefusedError(
            where,
            expected="a Keras model",
            found=printable("None" if model is None else f"{kind.__module__}.{kind.__qualname__}"),
            remedy="End the function with `return model`." if model is None else None,
            reason=REASON,
        )
    return model


def _require_shapes(model: keras.Model, where: str, info: DatasetInfo) -> None:
    """Refuse a model that doesn't map images to classes, and say what to change."""
    inputs, outputs = getattr(model, "inputs", None), getattr(model, "outputs", None)
    if not inputs or not outputs:
        raise InputRefusedError(
            where,
            expected="a Sequential or functional model",
            found=f"a subclass of keras.Model, {printable(type(model).__name__)}, which a file "
            "can't describe without its code",
            remedy="Return keras.Sequential([...]) or keras.Model(inputs, outputs).",
            reason=REASON,
        )
    (height, width, channels), classes = info.image_shape, len(info.classes)
    needed = {"input": (None, *info.image_shape), "output": (None, classes)}
    found = {
        "input": [tuple(each.shape) for each in inputs],
        "output": [tuple(each.shape) for each in outputs],
    }
    remedies = {
        "input": f"Start with keras.Input(({height}, {width}, {channels})); flatten or resize the "
        "images in the model.",
        "output": f"End with keras.layers.Dense({classes}): one value per class.",
    }
    reasons: dict[str, Reason] = {
        "input": "network-input-shape",
        "output": "network-output-shape",
    }
    for side, shape in needed.items():
        if found[side] != [shape]:
            raise InputRefusedError(
                where,
                expected=f"{side} shape {shape}, for the data set {info.title}",
                found=", ".join(map(str, found[side])),
                remedy=remedies[side],
                reason=reasons[side],
            )
    if isinstance(getattr(model, "output", None), dict):  # a Sequential model may have none
        raise InputRefusedError(
            where,
            expected="a model with one output",
            found="a dictionary of outputs",
            remedy="Return keras.Model(inputs, outputs), where outputs is no dictionary.",
            reason=REASON,
        )
    if not keras.backend.is_float_dtype(dtype := inputs[0].dtype):  # Keras would cut the pixels off
        raise InputRefusedError(
            where,
            expected="an input of floating-point numbers: the pixels are in [0, 1]",
            found=f"an input of {dtype}",
            remedy="Leave `dtype` out of keras.Input, and scale nothing.",
            reason=REASON,
        )


def _require_names(model: keras.Model, where: str) -> None:
    """Refuse names of layers that TensorFlow doesn't take in a graph, in which they are trained."""
    for layer in model._flatten_layers():  # noqa: SLF001 - of nested models, too
        if not (_OUTER_SCOPE if layer is model else _SCOPE).fullmatch(layer.name):
            raise InputRefusedError(
                where,
                expected="names that consist of letters from A to Z, digits, _, - and .",
                found=f"a {type(layer).__name__} with the name {printable(layer.name)}",
                reason=REASON,
            )


def _probe(info: DatasetInfo) -> NDArray[np.float32]:
    """Return random images: not as many as there are classes, which a loss could mistake."""
    shape = (len(info.classes) + 3, *info.image_shape)
    return np.random.default_rng(0).random(shape, np.float32)


def _are_callbacks(found: object) -> bool:
    return found is None or (
        isinstance(found, list | tuple)
        and all(isinstance(each, keras.callbacks.Callback) for each in found)
    )


def _functions(module: ModuleType) -> str:
    """Return the names of the functions that a module defines itself."""
    return printable(
        ", ".join(
            name
            for name, each in vars(module).items()
            if isinstance(each, FunctionType) and each.__module__ == module.__name__
        )
    )
