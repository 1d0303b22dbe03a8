"""Make an image like those of a data set from a picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mnist_tasks import dataset_info
from mnist_tasks.dataset_info import DatasetInfo
from mnist_tasks.errors import InputRefusedError
from mnist_tasks.predicting import pictures, preparation
from mnist_tasks.predicting.filters import resize

Images = NDArray[np.uint8]


def prepare(pixels: Images, info: DatasetInfo, *, raw: bool, subject: str) -> Images:
    """Return a picture as an image of a data set.

    A digit for MNIST is prepared as in `preparation`. For another data set, or if the picture is
    `raw`, it is resized.

    Parameters
    ----------
    pixels
        (h, w) or (h, w, 3) uint8.
    subject
        What an error is about.

    Returns
    -------
    image : uint8
        In the shape of the data set's images.

    Raises
    ------
    InputRefusedError
        The picture is blank, or shows several digits.
    """
    height, width, channels = info.image_shape
    if pixels.ndim == 3 and channels == 1:
        pixels = pictures.gray(pixels)
    elif pixels.ndim == 2 and channels == 3:
        pixels = np.repeat(pixels[..., None], 3, axis=-1)
    if raw or info != dataset_info.MNIST:
        if not np.ptp(pixels, axis=(0, 1)).any():
            raise _blank(subject, "a picture whose pixels differ", "Use another picture.")
        return _resized(pixels, height, width)
    prepared = preparation.prepare(pixels)
    if not prepared.digits:
        raise _blank(
            subject,
            "a digit that differs from its ground",
            "Take the picture closer, in more light, or with a thicker pen.",
        )
    if prepared.digits > 1:
        raise InputRefusedError(
            subject,
            expected="a picture of one digit",
            found="several digits, or what is too wide for one",
            remedy="Crop the picture to one digit.",
            reason="several-digits",
        )
    return prepared.image


def _blank(subject: str, expected: str, remedy: str) -> InputRefusedError:
    return InputRefusedError(
        subject,
        expected=expected,
        found="a blank picture",
        remedy=remedy,
        reason="picture-blank",
    )


def _resized(pixels: Images, height: int, width: int) -> Images:
    if pixels.shape[:2] == (height, width):
        return pixels
    channels = np.atleast_3d(pixels).astype(np.float64)
    planes = [resize(channels[..., each], height, width) for each in range(channels.shape[2])]
    made: Images = np.floor(np.stack(planes, axis=-1) + 0.5).astype(np.uint8)
    return made[..., 0] if pixels.ndim == 2 else made
