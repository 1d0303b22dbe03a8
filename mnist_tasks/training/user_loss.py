"""The loss and the optimizer of the user's own model, and which trainer can use them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from mnist_tasks.errors import InputRefusedError, UsageError, printable
from mnist_tasks.training.network_file import REASON
from mnist_tasks.training.recipe import Recipe

#: Settings of a recipe's optimizer, which a model that is compiled with its own doesn't use.
OPTIMIZER_SETTINGS = (
    "optimizer",
    "warmup_fraction",
    "final_learning_rate_fraction",
    "initial_accumulator_value",
    "momentum",
    "weight_decay",
)
_BY_SHAPE = ("crossentropy", "ce")  # Keras chooses: the sparse one for whole-number labels
_CROSS_ENTROPIES = (
    keras.losses.SparseCategoricalCrossentropy,
    keras.losses.CategoricalCrossentropy,
)
#: Names of the accuracy among the metrics of Keras.
ACCURACIES = ("accuracy", "acc", "sparse_categorical_accuracy", "categorical_accuracy")


@dataclass(frozen=True, kw_only=True)
class Loss:
    """A model's loss.

    Attributes
    ----------
    name
        As it is shown.
    function
        The loss as an object of Keras; ``None`` if it is none that the fast trainer knows.
    one_hot
        Whether it wants labels (n, classes) float32, one of which is 1, and not (n,) int32.
    """

    name: str
    function: keras.losses.Loss | None
    one_hot: bool


def of(model: keras.Model, outputs: NDArray[np.float32], where: str) -> Loss:
    """Return the loss of a compiled model. Which labels it wants is tried out.

    Parameters
    ----------
    outputs : (n, classes) float32
        The model's outputs for some images.
    where
        The user's function, for errors.
    """
    given = _of_output(getattr(model, "loss", None), model, where)
    if given is None:
        raise InputRefusedError(
            where,
            expected="a model that is compiled with a loss, or not compiled",
            found="compile() without a loss",
            reason=REASON,
        )
    function: Any = _resolved(given)
    labels = np.arange(len(outputs), dtype=np.int32) % outputs.shape[1]
    one_hot = np.eye(outputs.shape[1], dtype=np.float32)[labels]
    errors = []
    for wanted in (labels, one_hot):
        try:
            function(wanted, outputs)
        except Exception as error:
            errors.append(error)
            continue
        _require_probabilities(function, outputs, where)
        return Loss(
            name=_name(given, function),
            function=function if _is_known(function, model) else None,
            one_hot=wanted is one_hot,
        )
    raise errors[-1]


def own_learning_rate(
    model: keras.Model, recipe: Recipe, changed: frozenset[str], where: str
) -> float | str:
    """Return the learning rate of a model's own optimizer, set to the user's if she named one."""
    unused = sorted(changed.intersection(OPTIMIZER_SETTINGS))
    if unused:
        raise UsageError(
            f"--set {unused[0]}",
            expected="a setting of the network's own optimizer, which it is compiled with",
            found="a setting of the recipe's optimizer",
            remedy="Set it in the network's file, or return the model without compiling it.",
        )
    optimizer = inner_optimizer(model)
    rate = optimizer.get_config().get("learning_rate")
    is_constant = isinstance(rate, float | int)
    if "learning_rate" in changed:
        if not is_constant:
            raise UsageError(
                "--learning-rate",
                expected="a network whose optimizer has a constant learning rate",
                found=f"a schedule in {where}",
                remedy="Set it in the network's file.",
            )
        optimizer.learning_rate = recipe.learning_rate
        return recipe.learning_rate
    if is_constant:
        return float(f"{rate:.7g}")  # it was stored as float32
    kind = rate.get("class_name") if isinstance(rate, dict) else None
    return printable(str(kind or "schedule"))


def inner_optimizer(model: keras.Model) -> keras.optimizers.Optimizer:
    """Return a model's optimizer without what scales the loss, as Keras does in mixed_float16."""
    return getattr(model.optimizer, "inner_optimizer", model.optimizer)


def why_not_fast(model: keras.Model, loss: Loss) -> str:
    """Return why only Keras's ``fit`` can train a model; empty if the fast trainer can."""
    config = model._compile_config.config  # noqa: SLF001 - what was passed to compile()
    layers = model._flatten_layers(include_self=False)  # noqa: SLF001 - of nested models, too
    unknown = [each for each in layers if not is_of_keras(each)]
    states = [
        variable
        for layer in layers
        if not isinstance(layer, keras.layers.BatchNormalization) or not layer.trainable
        for variable in layer._non_trainable_variables + layer._trainable_variables  # noqa: SLF001
        if not variable.trainable or not layer.trainable
    ]
    reasons = {
        f"the loss {loss.name}": loss.function is None,
        "loss weights": bool(config.get("loss_weights")),
        "other metrics": any(map(_is_other, _listed(config.get("metrics"))))
        or bool(config.get("weighted_metrics")),
        "run_eagerly=True": model.run_eagerly,
        "an optimizer that scales the loss": model.optimizer.loss_scale_factor is not None
        or isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer),
        "regularization": bool(model.losses)
        or any(getattr(each, "activity_regularizer", None) for each in layers),
        "layers that compute in another precision than float32": any(
            each.compute_dtype != "float32" for each in layers
        ),
        f"a layer of the class {type(unknown[0]).__name__}" if unknown else "": bool(unknown),
        "a training step of its own": not is_of_keras(model),
        "layers with a state, or that are not trained": bool(states),
    }
    return next((printable(reason) for reason, found in reasons.items() if found), "")


def is_of_keras(layer: keras.Layer) -> bool:
    """Whether a layer's or model's class is one of Keras, and not the user's."""
    return type(layer).__module__.startswith("keras.")


def _of_output(given: Any, model: keras.Model, where: str) -> Any:
    """Return the loss of a model's only output, by whose name it may be given."""
    if isinstance(given, list | tuple) and len(given) == 1:
        return given[0]
    if not isinstance(given, dict):
        return given
    names = getattr(model, "output_names", None) or []  # a Sequential model has none
    if list(given) != names:
        raise InputRefusedError(
            where,
            expected=f"a loss for the output {printable(names[0])}"
            if names
            else "a loss without the name of an output, which a Sequential model doesn't have",
            found=f"a loss for {printable(', '.join(map(str, given))) or 'no output'}",
            reason=REASON,
        )
    return given[names[0]]


def _resolved(given: Any) -> Any:
    """Return a loss as an object or a function, as Keras finds it."""
    if str(given).lower() in _BY_SHAPE:
        return keras.losses.SparseCategoricalCrossentropy()
    found = keras.losses.get(given)
    kinds = {
        keras.losses.sparse_categorical_crossentropy: keras.losses.SparseCategoricalCrossentropy,
        keras.losses.categorical_crossentropy: keras.losses.CategoricalCrossentropy,
    }
    if not isinstance(found, keras.losses.Loss):
        found = kinds[found]() if found in kinds else found
    return found


def _is_known(function: Any, model: keras.Model) -> bool:
    return (
        type(function) in _CROSS_ENTROPIES
        and function.reduction in ("sum_over_batch_size", "mean", "mean_with_sample_weight")
        and function.dtype == "float32"
        and getattr(function, "ignore_class", None) is None  # a mean over the other images
        and len(model.outputs) == 1
    )


def _require_probabilities(function: Any, outputs: NDArray[np.float32], where: str) -> None:
    """Refuse logits with a cross-entropy of probabilities: the model would learn nothing."""
    if type(function) not in _CROSS_ENTROPIES or function.get_config().get("from_logits"):
        return
    if (outputs < 0).any():
        raise InputRefusedError(
            where,
            expected="probabilities, which the loss takes",
            found="outputs below 0",
            remedy='End with activation="softmax", or use a loss with from_logits=True.',
            reason="network-output-logits",
        )


def _name(given: Any, function: Any) -> str:
    if isinstance(given, str):
        return printable(given)
    return printable(str(getattr(function, "name", None) or getattr(function, "__name__", "loss")))


def _listed(metrics: Any) -> list[Any]:
    if isinstance(metrics, dict):  # by the name of the output
        metrics = list(metrics.values())
    if isinstance(metrics, list | tuple):
        return [each for part in metrics for each in _listed(part)]
    return [] if metrics is None else [metrics]


def _is_other(metric: Any) -> bool:
    """Whether a metric is not the accuracy."""
    kinds = (keras.metrics.SparseCategoricalAccuracy, keras.metrics.CategoricalAccuracy)
    return not (metric in ACCURACIES if isinstance(metric, str) else type(metric) in kinds)
