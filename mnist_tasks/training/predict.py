"""Run a model that this process has saved itself; `vetting` runs untrusted ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_BATCH = 1000


def predict(model: Path, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Load a saved model and return its predictions.

    Parameters
    ----------
    images : (n, 28, 28) uint8

    Returns
    -------
    probabilities : (n, 10) float32 in [0, 1]
    """
    import keras

    loaded = keras.models.load_model(model, compile=False)
    pixels = images[..., np.newaxis] / np.float32(255)
    probabilities: NDArray[np.float32] = loaded.predict(pixels, batch_size=_BATCH, verbose=0)
    return probabilities
