"""Read a folder of pictures, PNG or JPEG, with one subfolder for each class.

The pictures are not trusted: only two of Pillow's decoders are used, and no picture is decoded
before its size is known to be within the limits.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mnist_tasks import disk
from mnist_tasks.data.orientation import upright
from mnist_tasks.dataset_info import LARGEST_SIDE
from mnist_tasks.errors import InputRefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

FORMATS = ("PNG", "JPEG")
LARGEST_PICTURE = 1 << 20  # bytes, with its metadata
GRAY, COLOR = "L", "RGB"
# Bilevel pictures become gray ones, and those with a palette become color ones, without a loss.
MODES = {"1": GRAY, GRAY: GRAY, "P": COLOR, COLOR: COLOR}


def class_names(folder: Path) -> tuple[str, ...]:
    """Return the names of the subfolders, sorted.

    Raises
    ------
    InputRefusedError
        The folder can't be read, or has a file that is not hidden beside its subfolders.
    """
    entries = _entries(folder, "a folder with one subfolder for each class")
    for entry in entries:
        if not entry.is_dir():
            raise InputRefusedError(
                str(entry), expected="a subfolder for each class, and nothing else", found="a file"
            )
    return tuple(entry.name for entry in entries)


def read(
    folder: Path, classes: Sequence[str], *, most: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Read all pictures, class by class, each in the order of the files' names.

    Parameters
    ----------
    classes
        Names of the subfolders, in the order of the labels.
    most
        Largest number of pictures.

    Returns
    -------
    images : (n, h, w) or (n, h, w, 3) uint8
    labels : (n,) uint8

    Raises
    ------
    InputRefusedError
        A subfolder is missing or empty, or is no class; or a picture is not a PNG or JPEG of the
        same size and kind as the first.
    """
    import numpy as np

    unknown = [name for name in class_names(folder) if name not in classes]
    if unknown:
        raise InputRefusedError(
            str(folder / unknown[0]),
            expected=f"a subfolder for each class: {', '.join(classes)}",
            found="another name",
            remedy="Rename the subfolder, or add its name to `classes`.",
        )
    paths: list[Path] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        within = _entries(folder / name, f"a subfolder with the pictures of the class {name}")
        if not within:
            raise InputRefusedError(
                str(folder / name), expected="pictures", found="an empty folder"
            )
        paths += within
        labels += [label] * len(within)
    if len(paths) > most:
        found = f"{len(paths):,} files"
        raise InputRefusedError(str(folder), expected=f"at most {most:,} pictures", found=found)
    images = np.empty(0, np.uint8)
    for index, path in enumerate(paths):
        pixels = _decode(path)
        if not index:
            images = np.empty((len(paths), *pixels.shape), np.uint8)
        elif pixels.shape != images.shape[1:]:
            expected = f"{_described(images.shape[1:])}, as {paths[0]}"
            raise InputRefusedError(str(path), expected=expected, found=_described(pixels.shape))
        images[index] = pixels
    return images, np.array(labels, np.uint8)


def _entries(folder: Path, expected: str) -> list[Path]:
    """Return what a folder contains, without hidden files, sorted by name."""
    try:
        entries = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    except (OSError, ValueError) as error:  # a ValueError: a null character
        is_missing = isinstance(error, FileNotFoundError)
        found = "no such folder" if is_missing else getattr(error, "strerror", None) or str(error)
        raise InputRefusedError(str(folder), expected=expected, found=found) from error
    return sorted(entries, key=lambda entry: entry.name)


def _decode(path: Path) -> NDArray[np.uint8]:
    """Return a picture's pixels: (h, w) or (h, w, 3) uint8."""
    from PIL import Image

    expected = f"a PNG or JPEG picture of up to {LARGEST_SIDE}×{LARGEST_SIDE} pixels"
    try:
        content = io.BytesIO(disk.read_regular(path, limit=LARGEST_PICTURE))
        with Image.open(content, formats=FORMATS) as picture:
            found = _pixels(picture)
    except Exception as error:  # Pillow's decoders raise many kinds
        why = error.strerror if isinstance(error, OSError) else None
        found = why or f"a damaged picture, or another format ({type(error).__name__})"
    if isinstance(found, str):
        raise InputRefusedError(str(path), expected=expected, found=found)
    return found


def _pixels(picture: Any) -> NDArray[np.uint8] | str:
    import numpy as np

    width, height = picture.size
    if max(width, height) > LARGEST_SIDE:
        return f"{width:,}×{height:,} pixels"
    if picture.mode not in MODES or "transparency" in picture.info:
        return f"a picture of the mode {picture.mode}, neither gray nor RGB, or with transparency"
    return np.asarray(upright(picture).convert(MODES[picture.mode]), np.uint8)


def _described(shape: tuple[int, ...]) -> str:
    return f"a {'gray' if len(shape) == 2 else 'color'} picture of {shape[1]}×{shape[0]} pixels"
