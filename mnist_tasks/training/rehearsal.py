"""Load what Keras saves of the user's model before it is trained: what fails then is lost work."""

from __future__ import annotations

import random

from mnist_tasks import temporary
from mnist_tasks.dataset_info import ImageShape
from mnist_tasks.errors import InputRefusedError
from mnist_tasks.vetting.execution import keras_model
from mnist_tasks.vetting.limits import Limits
from mnist_tasks.vetting.static import static_check
from mnist_tasks.vetting.static.static_check import DeclaredModel
from mnist_tasks.vetting.untrusted_text import RefusedError

# The highest that a contract allows: which one is in force is the check's business.
LIMITS = Limits().raised(file_bytes=100_000_000, parameters=25_000_000)


def why_refused(data: bytes, suffix: str, where: str, image_shape: ImageShape) -> str:
    """Return why `mnist-tasks check` will refuse a model; empty if it won't.

    Parameters
    ----------
    data, suffix
        The content of its file, which is ``.h5`` or ``.keras``.
    where
        What an error is about.

    Raises
    ------
    InputRefusedError
        Keras can't load it: nobody could use the model.
    EnvironmentProblemError
        There is no room for a temporary file.
    """
    file_format = suffix.removeprefix(".")
    try:
        declared = static_check.vet_bytes(data, file_format=file_format, limits=LIMITS)
    except RefusedError as error:
        return error.found
    try:
        _load(declared, data, file_format, image_shape)
    except RefusedError as error:
        other = ".h5" if suffix == ".keras" else ".keras"
        raise InputRefusedError(
            where,
            expected=f"a model that Keras can load from a {suffix} file that it saves",
            found=error.found,
            remedy=f"Name an output that ends in {other}, or replace the layer.",
        ) from error
    return ""


def _load(declared: DeclaredModel, data: bytes, file_format: str, image_shape: ImageShape) -> None:
    state = random.getstate()  # Keras draws the seeds of initial weights from it
    try:
        with temporary.folder() as folder:
            path = folder / f"model.{file_format}"
            with temporary.usable():
                path.write_bytes(data)
            keras_model.load(
                declared,
                keras_model.keras_3(),
                path,
                file_format=file_format,
                image_shape=image_shape,
            )
    finally:
        random.setstate(state)
