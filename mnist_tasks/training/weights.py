"""The trainable weights of a model, as an optimizer gets them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

if TYPE_CHECKING:
    import keras

#: The names of variables that have no weight decay, and of the vector that they are in.
WITHOUT_DECAY = ("gamma", "beta", "bias")
OTHERS = "others"


class Weights:
    """A model's trainable variables, each for itself.

    Attributes
    ----------
    variables
        What the optimizer updates.
    """

    def __init__(self, model: keras.Model) -> None:
        self._model = model
        self.variables: list[keras.Variable] = model.trainable_variables

    def unpack(self, values: list[Any]) -> list[Any]:
        """Return the values of the model's trainable variables for those of `variables`."""
        return values

    def write(self) -> None:
        """Set the model's trainable variables to `variables`."""


class WeightVectors(Weights):
    """A model's trainable variables in two vectors, as long as they are trained.

    An optimizer takes a dozen operations for each variable. For a network of a few variables with
    a few numbers each, they take as long to trace and to start as all others. Vectors are enough if
    the optimizer treats each number by itself. It does not where it looks at a variable as a whole,
    to limit the norm of its gradient for example.

    The first vector, ``kernels``, is for what has weight decay; the second is ``others``.
    """

    def __init__(self, model: keras.Model) -> None:
        import keras

        super().__init__(model)
        trainable = model.trainable_variables
        self._shapes = [tuple(each.shape) for each in trainable]
        self._vectors = [int(each.name in WITHOUT_DECAY) for each in trainable]
        self._sizes: list[list[int]] = [[], []]
        numbers: list[list[Any]] = [[], []]
        for each, shape, vector in zip(trainable, self._shapes, self._vectors, strict=True):
            self._sizes[vector].append(math.prod(shape))
            numbers[vector].append(np.ravel(np.asarray(each.value)))
        self.variables = [
            keras.Variable(np.concatenate(part), name=name)
            for part, name in zip(numbers, ("kernels", OTHERS), strict=True)
        ]

    def unpack(self, values: list[Any]) -> list[Any]:
        """Return the values of the model's trainable variables for those of the vectors."""
        vectors = zip(values, self._sizes, strict=True)
        parts = [iter(tf.split(vector, sizes)) for vector, sizes in vectors]
        return [
            tf.reshape(next(parts[vector]), shape)
            for vector, shape in zip(self._vectors, self._shapes, strict=True)
        ]

    def write(self) -> None:
        """Set the model's trainable variables to the vectors' numbers."""
        values = self.unpack([each.value for each in self.variables])
        for variable, value in zip(self._model.trainable_variables, values, strict=True):
            variable.assign(value)
