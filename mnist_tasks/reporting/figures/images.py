"""Small images in ``data:`` URLs: those of a data set, and the filters of a network."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray


LARGEST_SIDE = 48  # pixels of a photo on a sheet, on which it is 84 pixels wide
STEP = 17  # between the 16 shades of gray of a sheet: 0, 17, ..., 255
QUALITY = 75  # of a sheet in color, up to 100


def photo(image: NDArray[np.uint8]) -> str:
    """Return an image, (height, width) or (height, width, 3) uint8, as a ``data:`` URL."""
    return _data_url([row.tobytes() for row in image], color=image.ndim == 3)


def sheet(photos: NDArray[np.uint8]) -> str:
    """Return images one below the other as one ``data:`` URL, in a third of the bytes of `photo`.

    Gray images are a PNG with 16 shades, color images a WebP. Images with a side above 48 pixels
    have half their size.

    Parameters
    ----------
    photos : (n, height, width) or (n, height, width, 3) uint8
    """
    import numpy as np

    if max(photos.shape[1:3]) > LARGEST_SIDE:
        photos = _halved(photos)
    below = photos.reshape(-1, *photos.shape[2:])
    if below.ndim == 2:
        shades = (below.astype(np.uint16) + STEP // 2) // STEP * STEP
        return _data_url([row.tobytes() for row in shades.astype(np.uint8)])
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(below).save(file, "WEBP", quality=QUALITY)
    return f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}"


def jpeg(content: bytes) -> str:
    """Return a JPEG file as a ``data:`` URL."""
    return f"data:image/jpeg;base64,{base64.b64encode(content).decode()}"


def weights(square: Sequence[Sequence[float]], largest: float) -> str:
    """Return weights as a ``data:`` URL: 0 is gray, `largest` white, its negative black."""
    return _data_url(
        [
            bytes(round(127.5 + 127.5 * max(-1.0, min(1.0, weight / largest))) for weight in row)
            for row in square
        ]
    )


def png(rows: Sequence[bytes], *, color: bool = False) -> bytes:
    """Return rows of 8-bit gray values, or of red, green and blue ones, as a PNG file.

    W3C, "Portable Network Graphics (PNG) Specification", third edition: a header; the rows,
    deflated, each after a byte for its filter (0: none); and an end marker.
    """
    channels, kind = (3, 2) if color else (1, 0)
    header = struct.pack(">2I5B", len(rows[0]) // channels, len(rows), 8, kind, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + row for row in rows), level=9)
    parts = ((b"IHDR", header), (b"IDAT", body), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in parts)


def _halved(photos: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the means of 2 x 2 pixels; an odd row or column at the end is left out."""
    import numpy as np

    height, width = (side // 2 * 2 for side in photos.shape[1:3])
    even = photos[:, :height, :width].astype(np.uint16)
    columns = even[:, :, ::2] + even[:, :, 1::2]
    halved: NDArray[np.uint8] = ((columns[:, ::2] + columns[:, 1::2] + 2) // 4).astype(np.uint8)
    return halved


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _data_url(rows: Sequence[bytes], *, color: bool = False) -> str:
    return f"data:image/png;base64,{base64.b64encode(png(rows, color=color)).decode()}"
