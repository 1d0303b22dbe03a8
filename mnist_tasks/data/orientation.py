"""Turn a picture upright, as its EXIF data says: phones store photos as the sensor had them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

TAG = 0x0112  # of EXIF
# How Pillow turns a picture upright, for each orientation that is not.
TURNS: dict[object, str] = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}


def upright(picture: Image) -> Image:
    """Return a picture turned as its EXIF data says, unless that is damaged.

    Pillow's `ImageOps.exif_transpose` writes all of it anew, which fails if any of it is odd.
    """
    from PIL.Image import Transpose

    picture.load()  # so that what fails next is not the picture
    try:
        turn = TURNS.get(picture.getexif().get(TAG))
    except Exception:  # Pillow raises many kinds
        turn = None
    return picture if turn is None else picture.transpose(Transpose[turn])
