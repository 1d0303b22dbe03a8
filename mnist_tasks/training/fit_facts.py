"""What can be known about a training by `model.fit` that this package did not set up."""

from __future__ import annotations

import math
import platform
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import keras
import numpy as np

from mnist_tasks.check_records import Layer
from mnist_tasks.config import available_cores
from mnist_tasks.environment.machine import processor
from mnist_tasks.records import Machine
from mnist_tasks.training import costs, user_loss
from mnist_tasks.training.user_loss import ACCURACIES
from mnist_tasks.version import VERSION

MOST_FILTERS, LARGEST_FILTER = 64, 64
_LAYER_SETTINGS = (
    "filters", "units", "kernel_size", "pool_size", "strides", "padding", "activation", "rate",
    "momentum",
)  # fmt: skip
# A model of one's own class, or a layer without one output, has less to know.
_UNKNOWN = (AttributeError, ValueError, TypeError, NotImplementedError, RuntimeError, KeyError)


def loss_and_accuracy(logs: Mapping[str, Any]) -> tuple[float, float | None]:
    """Return the loss, NaN if there is none, and the accuracy in [0, 1], if it was compiled."""
    found = next((logs[name] for name in ACCURACIES if name in logs), None)
    accuracy = None if found is None else float(found)
    known = accuracy is not None and 0 <= accuracy <= 1
    return float(logs.get("loss", math.nan)), accuracy if known else None


def validation(logs: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """Return loss and accuracy on the validation images; ``None`` each if it is unknown."""
    prefix = "val_"
    found = {name.removeprefix(prefix): logs[name] for name in logs if name.startswith(prefix)}
    loss, accuracy = loss_and_accuracy(found)
    return loss if math.isfinite(loss) else None, accuracy


def images_seen(model: keras.Model) -> int | None:
    """Return how many images the mean loss of this epoch is over, if Keras computes it."""
    with suppress(*_UNKNOWN):
        tracker = next(each for each in model.metrics if each.name == "loss")
        return int(tracker.count)
    return None


def optimizer(model: keras.Model) -> dict[str, Any]:
    """Return the names of the optimizer and the loss, and the learning rate or its schedule."""
    found: dict[str, Any] = {}
    with suppress(*_UNKNOWN):
        rate = user_loss.inner_optimizer(model).get_config()["learning_rate"]
        if isinstance(rate, dict):
            values = {name: each for name, each in rate["config"].items() if _is_plain(each)}
            rate = f"{rate['class_name']}{values}"
        elif isinstance(rate, float):
            rate = float(f"{rate:.7g}")  # it is a float32
        found = {"optimizer": type(model.optimizer).__name__, "learning_rate": rate}
        found["loss"] = _loss_name(model.loss)
    return found


def _loss_name(loss: Any) -> str:
    """Return the name of a loss, or those of the losses of several outputs."""
    if isinstance(loss, dict):
        loss = list(loss.values())
    if isinstance(loss, list | tuple):
        return ", ".join(_loss_name(each) for each in loss)
    return loss if isinstance(loss, str) else getattr(loss, "__name__", type(loss).__name__)


def layer_settings(model: keras.Model) -> list[dict[str, Any]]:
    """Return the kind and the main settings of each layer."""
    found = []
    for layer in model.layers:
        config: dict[str, Any] = {}
        with suppress(*_UNKNOWN):
            config = layer.get_config()
        values = {name: config[name] for name in _LAYER_SETTINGS if _is_plain(config.get(name))}
        found.append({"layer": type(layer).__name__, **values})
    return found


def layers(model: keras.Model) -> tuple[Layer, ...]:
    """Return the layers with their costs; empty if a layer does not tell its output."""
    with suppress(*_UNKNOWN):
        return costs.layers(model)
    return ()


def filters(model: keras.Model) -> tuple[tuple[tuple[float, ...], ...], ...]:
    """Return the first filters of the first convolution, if they are small enough to show."""
    found: tuple[tuple[tuple[float, ...], ...], ...] = ()
    with suppress(*_UNKNOWN, IndexError):
        found = costs.first_filters(model)[:MOST_FILTERS]
    flat = [weight for square in found for row in square for weight in row]
    sides = {side for square in found for side in (len(square), len(square[0]))}
    return found if max(sides, default=0) <= LARGEST_FILTER and np.isfinite(flat).all() else ()


def seed() -> int | None:
    """Return the seed that `keras.utils.set_random_seed` was called with, if it was."""
    with suppress(ImportError):
        from keras.src.utils.rng_utils import get_random_seed

        found = get_random_seed()
        return found if isinstance(found, int) and found >= 0 else None
    return None


def machine(model: keras.Model) -> Machine:
    """Return the machine of this process, as its backend sees it."""
    backend = keras.backend.backend()
    device, threads, replicas = backend, 0, 1
    if backend == "tensorflow":
        import tensorflow as tf

        gpus = tf.config.get_visible_devices("GPU")
        names = [tf.config.experimental.get_device_details(each) for each in gpus]
        models = sorted({each.get("device_name") or "unnamed" for each in names})
        device = f"GPU ({', '.join(models)})" if models else "CPU"
        threads = tf.config.threading.get_intra_op_parallelism_threads()
        replicas = getattr(model.distribute_strategy, "num_replicas_in_sync", 1)
    modules = {"numpy": np, "keras": keras, backend: sys.modules.get(backend)}
    versions = {name: getattr(module, "__version__", "?") for name, module in modules.items()}
    return Machine(
        device=device,
        threads=threads or available_cores(),
        cores=available_cores(),
        platform=f"{platform.system()} {platform.machine()}",
        versions={"mnist-tasks": VERSION, "python": platform.python_version(), **versions},
        replicas=replicas,
        precision=keras.config.dtype_policy().name,
        cpu=processor(),
    )


def _is_plain(value: Any) -> bool:
    """Whether a setting can be shown in a few characters."""
    if isinstance(value, list | tuple):
        return all(isinstance(each, int | float) for each in value)
    return isinstance(value, str | int | float) and math.isfinite(
        value if isinstance(value, int | float) else 0
    )
