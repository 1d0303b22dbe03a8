"""Load what Keras saves of the user's model before it is trained: what fails then is lost work."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mnist_tasks import temporary
from mnist_tasks.dataset_info import ImageShape
from mnist_tasks.errors import InputRefusedError
from mnist_tasks.training import saving
from mnist_tasks.vetting.execution import keras_model
from mnist_tasks.vetting.limits import Limits
from mnist_tasks.vetting.static import static_check
from mnist_tasks.vetting.static.static_check import DeclaredModel
from mnist_tasks.vetting.untrusted_text import RefusedError

if TYPE_CHECKING:
    import keras

# The highest that a contract allows: which one is in force is the check's business.
LIMITS = Limits().raised(file_bytes=100_000_000, parameters=25_000_000)


@dataclass(frozen=True, kw_only=True)
class Rehearsal:
    """What is known of a model's file before the model is trained.

    Attributes
    ----------
    why_refused
        Why `mnist-tasks check` will refuse it; empty if it won't.
    why_uncompiled
        Why it is to be saved without what only the training needs, such as a learning rate schedule
        of the user's: `check` would refuse a file that names her class. Empty if it is saved whole.
    """

    why_refused: str = ""
    why_uncompiled: str = ""

    def to_save(self, model: keras.Model) -> keras.Model:
        """Return the model, once it is trained, as it is to be saved."""
        return saving.uncompiled(model) if self.why_uncompiled else model


def rehearse(
    model: keras.Model, data: bytes, suffix: str, where: str, image_shape: ImageShape
) -> Rehearsal:
    """Return what `mnist-tasks check` will make of a model.

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
    why = _why_refused(data, suffix, where, image_shape)
    if why and getattr(model, "inputs", None):
        plain = saving.content(saving.uncompiled(model), suffix)
        if not _why_refused(plain, suffix, where, image_shape):
            return Rehearsal(why_uncompiled=why)
    return Rehearsal(why_refused=why)


def _why_refused(data: bytes, suffix: str, where: str, image_shape: ImageShape) -> str:
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
