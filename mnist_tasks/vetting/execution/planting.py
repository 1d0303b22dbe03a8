"""Make a vetted model worse in the child process, and predict with it: the gate's self-test.

Noise is added to the weights themselves, so that the model is worse the way a model is: its errors
are on the images it is least sure of, and its confidence follows. Its strength is searched for
until the model has lost the accuracy that was asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnist_tasks.vetting.image_input import Pixels
from mnist_tasks.vetting.protocol import TRIALS, PlantedResult, Request

Predict = Callable[[str, Pixels], NDArray[np.float32] | None]
_FIRST = 0.4  # the noise's standard deviation, as a share of the weights' root mean square
_SEED = 0


def plant(model: Any, request: Request, predict: Predict) -> PlantedResult | None:
    """Return the predictions of the model with each fault; ``None`` if none was requested.

    Parameters
    ----------
    predict
        Returns the model's predictions for a file of images, with a range of pixels: (n, classes)
        float32 in [0, 1]; ``None`` if one is not finite.
    """
    asked, pixels = request.options.planting, request.options.input_format.pixels
    if asked is None:
        return None
    inverted = _predict_all(request, predict, pixels.inverted)
    noise = _Noise(model)
    labels = np.frombuffer(asked.labels, np.uint8)
    (_, first), *_ = request.image_sets

    @cache
    def correct(strength: float) -> int:
        noise.add(strength)
        found = predict(first, pixels)
        return 0 if found is None else int((found.argmax(axis=1) == labels).sum())

    noised: list[dict[str, bytes]] = []
    for loss in asked.losses:
        strength = find_strength(correct, lost=max(1, round(loss * len(labels))))
        if strength is None:
            noised.append({})
        else:
            noise.add(strength)
            noised.append(_predict_all(request, predict, pixels))
    return PlantedResult(noised=noised, inverted=inverted)


def find_strength(correct: Callable[[float], int], *, lost: int) -> float | None:
    """Return a strength of noise with which about `lost` images fewer are correct.

    Parameters
    ----------
    correct
        Returns how many images are correct with noise of a strength.

    Returns
    -------
    strength
        With it, `lost` images fewer are correct to within a tenth, or at least so many if no trial
        comes as near; ``None`` if no trial loses as many.
    """
    sound = correct(0.0)
    low, high, strength = 0.0, None, _FIRST
    for _ in range(TRIALS):
        found = sound - correct(strength)
        if abs(found - lost) <= lost // 10:
            return strength
        if found < lost:
            low = strength
        else:
            high = strength
        # Losses grow with about the fourth power of the noise. Bisection is the safeguard.
        guess = strength * (lost / max(found, 1)) ** 0.25
        if high is None:
            # Of a loss of nothing, when a single image is to be lost, the power says nothing.
            strength = min(guess, 2 * low) if found > 0 else 2 * low
        else:
            margin = (high - low) / 3
            strength = min(max(guess, low + margin), high - margin)
    return high


class _Noise:
    """Gaussian noise for the kernels of a model: its weights of two or more dimensions.

    The others, such as the variances of a normalization, have ranges that noise could leave.
    """

    def __init__(self, model: Any) -> None:
        random = np.random.default_rng(_SEED)
        self.kernels = []
        for weight in model.weights:
            values = np.asarray(weight, "float32")
            if values.ndim >= 2:
                spread = np.sqrt(np.square(values).mean())
                noise = spread * random.standard_normal(values.shape, dtype=np.float32)
                self.kernels.append((weight, values, noise))

    def add(self, strength: float) -> None:
        """Replace the noise in the model by that of a strength."""
        for weight, values, noise in self.kernels:
            weight.assign(values + np.float32(strength) * noise)


def _predict_all(request: Request, predict: Predict, pixels: Pixels) -> dict[str, bytes]:
    """Predict every set of images; empty if a prediction is not finite."""
    predicted = {}
    for name, file in request.image_sets:
        found = predict(file, pixels)
        if found is None:
            return {}
        predicted[name] = found.tobytes()
    return predicted
