"""Save the user's model once before it is trained, so that no training is lost if that fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mnist_tasks.training import saving
from mnist_tasks.vetting.limits import Limits
from mnist_tasks.vetting.static import static_check
from mnist_tasks.vetting.untrusted_text import RefusedError

if TYPE_CHECKING:
    import keras

# The highest that a contract allows: which one is in force is the check's business.
LIMITS = Limits().raised(file_bytes=100_000_000, parameters=25_000_000)


def why_refused(model: keras.Model, suffix: str) -> str:
    """Return why `mnist-tasks check` will refuse a model; empty if it won't.

    Parameters
    ----------
    suffix
        Of the file: ``.h5`` or ``.keras``.

    Raises
    ------
    Exception
        Keras can't save the model.
    """
    data = saving.content(model, suffix)
    try:
        static_check.vet_bytes(data, file_format=suffix.removeprefix("."), limits=LIMITS)
    except RefusedError as error:
        return error.found
    return ""
