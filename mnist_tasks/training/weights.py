"""The trainable weights of a model, as an optimizer gets them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

if TYPE_CHECKING:
    import keras


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


class WeightVector(Weights):
    """A model's trainable variables in one vector, as long as they are trained.

    An optimizer takes a dozen operations for each variable. For a network of a few variables with
    a few numbers each, they take as long to trace and to start as all others. A vector is enough if
    the optimizer treats each number by itself. It does not where it looks at a variable as a whole,
    to limit the norm of its gradient for example.
    """

    def __init__(self, model: keras.Model) -> None:
        import keras

        super().__init__(model)
        self._shapes = [tuple(each.shape) for each in model.trainable_variables]
        self._sizes = [math.prod(shape) for shape in self._shapes]
        numbers = [np.ravel(np.asarray(each.value)) for each in model.trainable_variables]
        self.variables = [keras.Variable(np.concatenate(numbers), name="weights")]

    def unpack(self, values: list[Any]) -> list[Any]:
        """Return the values of the model's trainable variables for that of the vector."""
        (vector,) = values
        parts = zip(tf.split(vector, self._sizes), self._shapes, strict=True)
        return [tf.reshape(part, shape) for part, shape in parts]

    def write(self) -> None:
        """Set the model's trainable variables to the vector's numbers."""
        values = self.unpack([self.variables[0].value])
        for variable, value in zip(self._model.trainable_variables, values, strict=True):
            variable.assign(value)
