"""Read pictures, which are not trusted: photos, scans and drawings in any of five formats.

Only these formats' decoders are used, and no picture is decoded before its size is known to be
within the limits.
"""

from __future__ import annotations

import io
import re
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mnist_tasks import disk
from mnist_tasks.errors import InputRefusedError
from mnist_tasks.predicting import picture_pixels
from mnist_tasks.vetting.image_input import LUMA

if TYPE_CHECKING:
    from PIL.Image import Image

Pixels = NDArray[np.uint8]

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
STANDARD_INPUT = "-"
LARGEST_FILE = 50_000_000  # bytes
MOST_PIXELS = 64_000_000  # a phone's photo has 12 or 48 million
# The first bytes of formats that are not read, but that people have. HEIC: ISO/IEC 23008-12.
OTHERS = {
    rb"....ftyp(heic|heix|hevc|mif1|msf1)": "HEIC",
    rb"....ftypavif": "AVIF",
    rb"II\*\0|MM\0\*": "TIFF",
    rb"%PDF": "PDF",
    rb"\s*(<\?xml|<svg)": "SVG",
}


def name(path: Path) -> str:
    """Return how a picture is called in results and errors."""
    return "standard input" if str(path) == STANDARD_INPUT else str(path)


def read(path: Path) -> Pixels:
    """Return the pixels of a picture in a file, or on standard input if the path is ``-``.

    Returns
    -------
    pixels : (h, w, 3) uint8
        Red, green and blue, of the first frame, as it is to be looked at: turned as its EXIF data
        says, and without transparency.

    Raises
    ------
    InputRefusedError
        The file is missing, damaged or too large, or in another format.
    """
    subject = name(path)
    try:
        if str(path) == STANDARD_INPUT:
            content = sys.stdin.buffer.read(LARGEST_FILE + 1) if sys.stdin else b""
        else:
            content = disk.read_regular(path, limit=LARGEST_FILE)
    except FileNotFoundError as error:
        raise InputRefusedError(
            subject, expected="a picture", found="no such file", reason="file-missing"
        ) from error
    except OSError as error:
        raise refusal(subject, error.strerror or str(error)) from error
    if len(content) > LARGEST_FILE:
        raise refusal(subject, f"more than {LARGEST_FILE:,} bytes")
    return decode(content, subject)


def decode(content: bytes, subject: str) -> Pixels:
    """Return the pixels of a picture's file, as `read` does.

    Parameters
    ----------
    subject
        What an error is about.
    """
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of large pictures, and of odd metadata
            with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
                pixels = picture.width * picture.height
                if pixels <= MOST_PIXELS:
                    # A JPEG is decoded at a fraction of its size.
                    picture.draft(None, (picture_pixels.ENOUGH, picture_pixels.ENOUGH))
                    return picture_pixels.of(picture)
                found = f"{picture.width:,}×{picture.height:,} pixels"
    except MemoryError:
        raise
    except Exception as error:  # Pillow's decoders raise many kinds
        found = _problem(error, content)
    raise refusal(subject, found)


def _problem(error: Exception, content: bytes) -> str:
    from PIL import Image, UnidentifiedImageError

    if isinstance(error, Image.DecompressionBombError):
        count = re.search(r"\d+", str(error))
        return f"{int(count[0]):,} pixels" if count else "more pixels"
    if not isinstance(error, UnidentifiedImageError):
        return f"a damaged picture ({type(error).__name__}: {error})"
    if not content:
        return "no data"
    for start, name in OTHERS.items():
        if re.match(start, content, re.DOTALL):
            return f"a picture or document in the format {name}"
    return "no picture, or one in another format"


def of_image(picture: Image, subject: str) -> Pixels:
    """Return the pixels of a Pillow image, as `read` does.

    Raises
    ------
    InputRefusedError
        It has no pixels, or its file is damaged: Pillow may read that only now.
    """
    if not all(picture.size):
        raise refusal(subject, "no pixels", expected="a picture")
    try:
        return picture_pixels.of(picture)
    except MemoryError:
        raise
    except Exception as error:  # Pillow's decoders raise many kinds
        found = f"a damaged picture ({type(error).__name__}: {error})"
        raise refusal(subject, found, expected="a picture") from error


def thumbnail(pixels: Pixels, side: int) -> bytes:
    """Return a picture, (h, w, 3) uint8, as a JPEG whose sides are at most `side` pixels."""
    from PIL import Image

    made = Image.fromarray(pixels)
    made.thumbnail((side, side))
    content = io.BytesIO()
    made.save(content, "JPEG", quality=80)
    return content.getvalue()


def gray(pixels: Pixels) -> Pixels:
    """Return the luma, (h, w) uint8, of red, green and blue: (h, w, 3) uint8."""
    luma: Pixels = np.floor(pixels @ np.array(LUMA) + 0.5).astype(np.uint8)
    return luma


def refusal(subject: str, found: str, *, expected: str | None = None) -> InputRefusedError:
    """Return the error about something that is not the picture that was expected."""
    most = f"{LARGEST_FILE // 1_000_000} MB and {MOST_PIXELS // 1_000_000} million pixels"
    return InputRefusedError(
        subject,
        expected=expected or f"a PNG, JPEG, WebP, GIF or BMP picture of at most {most}",
        found=found,
        reason="picture-unreadable",
    )
