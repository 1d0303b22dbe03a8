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
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mnist_tasks import disk
from mnist_tasks.errors import InputRefusedError

if TYPE_CHECKING:
    from PIL.Image import Image

Pixels = NDArray[np.uint8]

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
STANDARD_INPUT = "-"
LARGEST_FILE = 50_000_000  # bytes
MOST_PIXELS = 64_000_000  # a phone's photo has 12 or 48 million
ENOUGH = 1024  # pixels; a picture whose sides are more than twice that is made smaller
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
    if str(path) == STANDARD_INPUT:
        content = sys.stdin.buffer.read(LARGEST_FILE + 1) if sys.stdin else b""
        if len(content) > LARGEST_FILE:
            raise refusal(name(path), f"more than {LARGEST_FILE:,} bytes")
        return decode(content, name(path))
    try:
        content = disk.read_regular(path, limit=LARGEST_FILE)
    except FileNotFoundError as error:
        raise InputRefusedError(
            str(path), expected="a picture", found="no such file", reason="file-missing"
        ) from error
    except OSError as error:
        raise refusal(str(path), error.strerror or str(error)) from error
    return decode(content, str(path))


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
                    picture.draft(None, (ENOUGH, ENOUGH))
                    return of_image(picture)
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


def of_image(picture: Image) -> Pixels:
    """Return the pixels of a Pillow image, as `read` does.

    One that is much larger than needed is made smaller.
    """
    from PIL import ImageOps

    turned = _eight_bits(ImageOps.exif_transpose(picture))
    factor = max(turned.size) // ENOUGH
    smaller = turned.reduce(factor) if factor > 1 else turned
    return _opaque(np.asarray(smaller.convert("RGBA"), np.uint8))


def _eight_bits(picture: Image) -> Image:
    """Return a picture as RGB or RGBA. Pillow itself would cut off what is above 255."""
    from PIL import Image

    if picture.mode.startswith(("I", "F")):
        values = np.asarray(picture, np.float64)
        most = 65535.0 if picture.mode.startswith("I") else max(1.0, float(values.max()))
        picture = Image.fromarray(np.clip(values / most * 255 + 0.5, 0, 255).astype(np.uint8))
    is_transparent = picture.has_transparency_data
    return picture.convert("RGBA" if is_transparent else "RGB")


def _opaque(pixels: Pixels) -> Pixels:
    """Lay a picture with transparency, (h, w, 4) uint8, on a ground that its ink differs from.

    If most of it is opaque, that is mostly ground, and the rest gets its median color. Otherwise
    the opaque part is the ink, and the ground is white or black, whichever differs more.
    """
    color, alpha = pixels[..., :3].astype(np.float64), pixels[..., 3:] / 255.0
    if alpha.min() == 1:
        return np.ascontiguousarray(pixels[..., :3])
    visible = color[alpha[..., 0] > 0.5]
    if not len(visible):
        return np.full(color.shape, 255, np.uint8)
    ground: Any = 0.0 if visible.mean() >= 127.5 else 255.0
    if len(visible) > alpha.size / 2:
        ground = np.median(visible, axis=0)
    laid: Pixels = np.floor(color * alpha + ground * (1 - alpha) + 0.5).astype(np.uint8)
    return laid


def thumbnail(pixels: Pixels, side: int) -> bytes:
    """Return a picture, (h, w, 3) uint8, as a JPEG whose sides are at most `side` pixels."""
    from PIL import Image

    made = Image.fromarray(pixels)
    made.thumbnail((side, side))
    content = io.BytesIO()
    made.save(content, "JPEG", quality=80)
    return content.getvalue()


def gray(pixels: Pixels) -> Pixels:
    """Return the luma, (h, w) uint8, of red, green and blue: (h, w, 3) uint8; ITU-R BT.601."""
    luma: Pixels = np.floor(pixels @ np.array([0.299, 0.587, 0.114]) + 0.5).astype(np.uint8)
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
