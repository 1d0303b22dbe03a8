"""Models that are known to be worse, derived from a sound one, to test a contract with.

Their predictions are those of a model with the fault: noise is added to the weights themselves, and
inverted pixels are given to the model, both in the sandbox; what the others predict follows from
what the sound model predicts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mnist_tasks.checking.clauses import TEST_IMAGES
from mnist_tasks.vetting.inspection import Inspection

Predictions = NDArray[np.float32]  # (n, classes), in [0, 1]
Labels = NDArray[np.uint8]

LOSSES = (0.005, 0.01, 0.02)  # of accuracy, by noise in the weights
SEED = 0


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A model with a fault.

    Attributes
    ----------
    inspection
        What an inspection of it would find; ``None`` if the sound model can't be made so.
    gross
        Whether any contract must fail it. A small loss may be one that a contract allows.
    may_be_harmless
        Whether there are models that are no worse with it.
    """

    name: str
    inspection: Inspection | None
    gross: bool = True
    may_be_harmless: bool = False


def plant(
    sound: Inspection, labels: Labels, classes: Sequence[str], *, learned_test: bool
) -> Iterator[Fault]:
    """Yield a model for each fault, small losses first.

    Parameters
    ----------
    sound
        An inspection of the sound model, with faults planted in it for `LOSSES`.
    labels : (n,) uint8
        Of the test images.
    classes
        Their names, in the order of the labels.
    learned_test
        Whether to plant a model that was trained on the test images, too.
    """
    if sound.planted is None:
        raise ValueError("an inspection without planted faults")
    for loss, found in zip(LOSSES, sound.planted.noised, strict=True):
        noised = _with(sound, found) if found else None
        points = f"{100 * loss:g} point" + ("" if 100 * loss == 1 else "s")
        yield Fault(name=f"weights noised, {points}", inspection=noised, gross=False)
    yield Fault(name="labels shuffled", inspection=_each(sound, shuffled))
    correct = sound.probabilities[TEST_IMAGES].argmax(axis=1) == labels
    # The class whose loss costs the least accuracy is the hardest to miss. One that the sound model
    # never gets right can't be forgotten.
    by_class = np.bincount(labels[correct], minlength=len(classes))
    if known := np.flatnonzero(by_class).tolist():
        least = min(known, key=by_class.__getitem__)
        yield Fault(
            name=f"class {classes[least]} forgotten",
            inspection=_each(sound, lambda predicted: without_class(predicted, least)),
        )
    yield Fault(
        name="pixels inverted",
        inspection=_with(sound, sound.planted.inverted),
        may_be_harmless=True,
    )
    most = int(np.bincount(labels).argmax())
    always = np.full(len(labels), most)
    yield Fault(
        name=f"always class {classes[most]}",
        inspection=_each(sound, lambda predicted: certain(predicted, always)),
    )
    yield Fault(name="NaN predicted", inspection=_with(sound, {}))
    if learned_test:
        yield Fault(
            name="trained on the test images",
            inspection=_each(sound, lambda predicted: certain(predicted, labels)),
        )


def shuffled(predicted: Predictions) -> Predictions:
    """Give each image the prediction for another: what labels in a random order teach.

    The order is the same for every set of images.
    """
    return predicted[np.random.default_rng(SEED).permutation(len(predicted))]


def without_class(predicted: Predictions, label: int) -> Predictions:
    """Take a class away: the others share its probability, in proportion to their own.

    >>> without_class(np.array([[0.5, 0.25, 0.25]], np.float32), 0)
    array([[0. , 0.5, 0.5]], dtype=float32)
    """
    kept = predicted.astype(np.float64) + 1e-12  # a prediction of 1 leaves nothing to the others
    kept[:, label] = 0
    shares: Predictions = (kept / kept.sum(axis=1, keepdims=True)).astype(np.float32)
    return shares


def certain(predicted: Predictions, labels: NDArray[np.integer]) -> Predictions:
    """Predict these labels, (n,), with certainty."""
    rows: Predictions = np.eye(predicted.shape[1], dtype=np.float32)[labels]
    return rows


def _each(sound: Inspection, change: Callable[[Predictions], Predictions]) -> Inspection:
    return _with(sound, {name: change(each) for name, each in sound.probabilities.items()})


def _with(sound: Inspection, predicted: Mapping[str, Predictions]) -> Inspection:
    """Return the inspection of a model of the same structure with other predictions, if any."""
    reason = None if predicted else "its predictions are not finite numbers"
    return replace(
        sound, probabilities=predicted, other_pixels={}, no_predictions_reason=reason, planted=None
    )
