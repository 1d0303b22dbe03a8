"""Find layers that mix the images of a batch: each image must be predicted for itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mnist_tasks.vetting.execution import keras_model
from mnist_tasks.vetting.static import allowlist
from mnist_tasks.vetting.untrusted_text import sanitize

#: Layers that take the batch for the height if their input has three dimensions instead of four.
_IMAGE_LAYERS = allowlist.words("""
    CenterCrop Resizing RandomBrightness RandomContrast RandomCrop RandomErasing RandomFlip
    RandomGaussianBlur RandomRotation RandomTranslation RandomZoom
""")


def problem(model: Any) -> str | None:
    """Return which layer of a model mixes the images of a batch, in words; ``None`` if none does.

    The batch must remain the first dimension of every tensor, of open size, and no layer may have
    it as the axis along which it works.
    """
    for layer, inputs, outputs in keras_model.calls(model):
        if keras_model.is_model(layer):
            if (found := problem(layer)) is not None:
                return found
            continue
        name = f"layer '{sanitize(layer.name)}' ({type(layer).__name__})"
        if any(len(tensor.shape) < 2 or tensor.shape[0] is not None for tensor in outputs):
            return f"{name} has an output of the shape {sanitize(tuple(outputs[0].shape))}"
        rank = len(inputs[0].shape) if inputs else 0
        if rank not in {0, 4} and type(layer).__name__ in _IMAGE_LAYERS:
            return f"{name} takes the batch for the height of an image"
        if any(axis in {0, -rank} for axis in _axes(layer)) and rank:
            return f"{name} works along the images of a batch"
    return None


def _axes(layer: Any) -> Iterator[float]:
    for key in ("axis", "axes"):
        value = getattr(layer, key, None)
        for axis in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(axis, (int, float)):
                yield axis
