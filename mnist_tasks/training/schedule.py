"""How the learning rate and the weights' average go through a training. NumPy only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mnist_tasks.training.recipes import Recipe


def learning_rates(recipe: Recipe, steps: int) -> NDArray[np.float32]:
    """Return the learning rate of each step: one cycle, up and down in straight lines.

    L. N. Smith, "A disciplined approach to neural network hyper-parameters" (2018).

    Returns
    -------
    rates : (steps,) float32, above 0
    """
    done = (np.arange(steps) + 0.5) / steps
    up = done / recipe.warmup if recipe.warmup else np.ones(steps)
    down = 1 - (1 - recipe.final) * (done - recipe.warmup) / (1 - recipe.warmup)
    rates: NDArray[np.float32] = (recipe.learning_rate * np.minimum(up, down)).astype(np.float32)
    return rates


def averaging(recipe: Recipe, steps: int) -> NDArray[np.float32]:
    """Return, for each step, the share that the average of the weights keeps of itself.

    0 makes the average a copy of the weights.

    Returns
    -------
    kept : (steps,) float32 in [0, 1)
    """
    done = (np.arange(steps) + 0.5) / steps
    return np.where(done >= recipe.average_from, recipe.average, 0).astype(np.float32)
