"""The images are valid files, with the pixels that they show."""

from __future__ import annotations

import base64
import io
import struct
import zlib

import numpy as np
from PIL import Image

from mnist_tasks.reporting.figures import images


def read(address: str) -> list[list[int]]:
    """Read a grayscale PNG as specified, with its checksums."""
    data = base64.b64decode(address.removeprefix("data:image/png;base64,"), validate=True)
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, place = {}, 8
    while place < len(data):
        (length,) = struct.unpack_from(">I", data, place)
        name, body = data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        (checksum,) = struct.unpack_from(">I", data, place + 8 + length)
        assert checksum == zlib.crc32(name + body)
        chunks[name] = body
        place += 12 + length
    width, height, *kind = struct.unpack(">2I5B", chunks[b"IHDR"])
    assert kind in ([8, 0, 0, 0, 0], [8, 2, 0, 0, 0])
    length = 1 + width * (3 if kind[1] else 1)
    rows = zlib.decompress(chunks[b"IDAT"])
    assert len(rows) == height * length
    return [list(rows[y * length + 1 : (y + 1) * length]) for y in range(height)]


def test_an_image_is_its_pixels() -> None:
    image = np.random.default_rng(0).integers(0, 256, (20, 24), dtype=np.uint8)
    assert read(images.photo(image)) == image.tolist()


def test_a_color_image_is_red_green_and_blue() -> None:
    image = np.random.default_rng(0).integers(0, 256, (20, 24, 3), dtype=np.uint8)
    assert read(images.photo(image)) == image.reshape(20, 72).tolist()


def test_zero_weights_are_gray() -> None:
    assert read(images.weights([[-2.0, 0.0, 2.0], [1.0, -1.0, 99.0]], 2.0)) == [
        [0, 128, 255],
        [191, 64, 255],
    ]


def test_a_sheet_has_gray_images_one_below_the_other_in_16_shades() -> None:
    photos = np.random.default_rng(0).integers(0, 256, (3, 20, 25), dtype=np.uint8)
    found = np.array(read(images.sheet(photos))).reshape(photos.shape)
    assert np.abs(found - photos.astype(int)).max() <= 8
    assert {*np.unique(found)} == {*range(0, 256, 17)}


def test_a_sheet_of_color_images_is_a_webp() -> None:
    tints = np.array([[200, 30, 30], [30, 200, 30], [30, 30, 200]], np.uint8)
    photos = np.broadcast_to(tints[:, None, None], (3, 20, 24, 3))
    content = images.sheet(photos).removeprefix("data:image/webp;base64,")
    found = np.asarray(Image.open(io.BytesIO(base64.b64decode(content)))).astype(int)
    assert found.shape == (60, 24, 3)
    assert np.abs(found.reshape(photos.shape) - photos)[:, 4:-4].max() < 16


def test_a_sheet_has_large_images_at_half_their_size() -> None:
    photos = np.zeros((2, 64, 50), np.uint8)
    photos[1, 0, 0] = 4 * 17
    (top, *_), below = np.split(np.array(read(images.sheet(photos))), 2)
    assert (len(top), below.shape) == (25, (32, 25))
    assert below[0, 0] == 17
    assert not top.any()
