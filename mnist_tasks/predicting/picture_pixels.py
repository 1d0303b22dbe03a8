"""The pixels of a picture as it is to be looked at: upright, in 8 bits and opaque."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mnist_tasks.data.orientation import upright

if TYPE_CHECKING:
    from PIL.Image import Image

Pixels = NDArray[np.uint8]

ENOUGH = 1024  # pixels; a picture whose sides are more than twice that is made smaller


def of(picture: Image) -> Pixels:
    """Return the pixels of a Pillow image; one that is much larger than needed is made smaller.

    Returns
    -------
    pixels : (h, w, 3) uint8
        Red, green and blue.
    """
    turned = _eight_bits(upright(picture))
    factor = max(turned.size) // ENOUGH
    smaller = turned.reduce(factor) if factor > 1 else turned
    return _opaque(np.asarray(smaller.convert("RGBA"), np.uint8))


def _eight_bits(picture: Image) -> Image:
    """Return a picture as RGB or RGBA. Pillow itself would cut off what is above 255."""
    from PIL import Image

    if picture.mode.startswith(("I", "F")):
        values = np.asarray(picture, np.float32)
        largest = float(values.max())
        most = max(1.0, largest)
        if picture.mode.startswith("I"):  # of 16 bits, but an `I` may also be a converted `L`
            most = 255.0 if picture.mode == "I" and largest <= 255 else 65535.0
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
    ground: Any = 0.0 if len(visible) and np.median(visible) >= 127.5 else 255.0
    if len(visible) > alpha.size / 2:
        ground = np.median(visible, axis=0)
    laid: Pixels = np.floor(color * alpha + ground * (1 - alpha) + 0.5).astype(np.uint8)
    return laid
